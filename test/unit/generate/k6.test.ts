import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GeneratorError } from "../../../src/errors.ts";
import { findK6, k6Arguments, startK6 } from "../../../src/generate/k6.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

it.each(["ENOENT", "ENOTDIR", "ELOOP", "EACCES"])(
  "says that k6 cannot be run, and why, where its path is answered with %s",
  async (code) => {
    await using folder = await createTemporaryFolder();
    const file = join(folder.path, "file");
    const loop = join(folder.path, "loop");
    writeFileSync(file, "", { mode: 0o600 });
    symlinkSync(loop, loop);
    const paths = { ENOENT: `${file}-2`, ENOTDIR: join(file, "k6"), ELOOP: loop, EACCES: file };
    const path = paths[code as keyof typeof paths];
    const found = findK6({ path, env: {} });
    await expect(found).rejects.toBeInstanceOf(GeneratorError);
    await expect(found).rejects.toThrow(code);
    const started = startK6({
      k6: { path, version: "2.2.0" },
      script: file,
      args: [],
      env: {},
      samples: { kind: "lines", fifoPath: join(folder.path, "fifo") },
      summaryPath: join(folder.path, "summary"),
      stdout: "pipe",
      onLogLine: () => undefined,
    });
    await expect(started).rejects.toBeInstanceOf(GeneratorError);
    await expect(started).rejects.toThrow(`cannot be started: spawn`);
  },
);

describe("k6Arguments", () => {
  const samples = { kind: "lines", fifoPath: "/f" } as const;
  const given = { script: "s.js", args: [], env: {}, samples, summaryPath: "/s" };
  const json = ["--out", "json=/f"];
  const summary = ["--summary-export", "/s"];

  it.each([
    { when: "nothing else is asked for", more: {}, expected: [...json, ...summary] },
    {
      when: "the user has flags",
      more: { args: ["-u", "5", "--tag", "a=b"] },
      expected: [...json, ...summary, "-u", "5", "--tag", "a=b"],
    },
    {
      when: "K6_OUT names outputs, which our --out would replace",
      more: { env: { K6_OUT: "csv=a.csv,influxdb=http://i" } },
      expected: [...json, "--out", "csv=a.csv", "--out", "influxdb=http://i", ...summary],
    },
    {
      when: "the user's own --out replaces K6_OUT",
      more: { env: { K6_OUT: "csv=a.csv" }, args: ["-o", "cloud"] },
      expected: [...json, ...summary, "-o", "cloud"],
    },
    {
      when: "the user exports the summary by flag",
      more: { args: ["--summary-export=mine.json"] },
      expected: [...json, "--summary-export=mine.json"],
    },
    {
      when: "the user exports the summary by variable",
      more: { env: { K6_SUMMARY_EXPORT: "mine.json" } },
      expected: json,
    },
    {
      when: "another flag's value looks like ours",
      more: { args: ["--env", "--summary-export", "--tag", "--out"] },
      expected: [...json, ...summary, "--env", "--summary-export", "--tag", "--out"],
    },
  ])("puts our outputs before the user's flags where $when", ({ more, expected }) => {
    expect(k6Arguments({ ...given, ...more })).toEqual(["run", "--quiet", ...expected, "s.js"]);
  });

  it.each([
    { whose: "ours", address: "127.0.0.1:1234", flags: ["--address", "127.0.0.1:1234"] },
    { whose: "the user's", address: undefined, flags: [] },
  ])("asks for buckets by the cloud output, with a REST API at an address of $whose", (one) => {
    const cloud = { kind: "buckets", cloudUrl: "http://c", address: one.address } as const;
    const expected = ["run", "--quiet", "--out", "cloud", ...one.flags, ...summary, "s.js"];
    expect(k6Arguments({ ...given, samples: cloud })).toEqual(expected);
  });
});
