import { execFileSync } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findK6, startK6, type K6RunOptions } from "../../src/generate/k6.ts";
import { k6Flags } from "../../src/generate/k6-flags.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const required = process.env["REQUIRE_SERVICES"] === "1";
const versions = [
  { name: "k6 v2", path: process.env["PLIMSOLL_TOOL_K6_2"], major: "2." },
  { name: "k6 v1", path: process.env["PLIMSOLL_TOOL_K6_1"], major: "1." },
];

describe.each(versions)("$name", ({ path, major }) => {
  describe.skipIf(path === undefined && !required)("where it is installed", () => {
    it("is found by its path and says its version", async () => {
      const k6 = await findK6({ path, env: process.env });
      expect(k6).toEqual({ path, version: expect.stringContaining(major) });
    });

    it("leaves the samples, its log, its summary and exit code 0", async () => {
      const { process: k6, log, fifoPath } = await start("short.js");

      expect(await k6.exited).toEqual({ code: 0, signal: null });

      const lines = (await readFile(fifoPath, "utf8")).trimEnd().split("\n");
      expect(
        lines.filter((line) => line.includes('"metric":"http_reqs","type":"Point"')),
      ).toHaveLength(1);
      const summary = await k6.summary();
      expect(summary?.metrics.get("http_reqs")?.values.get("count")).toBe(1);
      expect(log.join("\n")).not.toMatch(/level=(warning|error)/);
    });

    it("tells which thresholds failed, with exit code 99", async () => {
      const { process: k6 } = await start("checks-and-groups.js", { env: { FAIL_THRESHOLD: "1" } });

      expect((await k6.exited).code).toBe(99);

      const { metrics } = (await k6.summary()) ?? {};
      expect([...(metrics?.get("checks{kind:strict}")?.thresholds ?? [])]).toEqual([
        ["rate>0.99", false],
      ]);
      expect([...(metrics?.get("http_reqs{status:404}")?.thresholds ?? [])]).toEqual([
        ["count>0", true],
      ]);
    });

    it("ends in order at the first stop, and still has a summary", async () => {
      const { process: k6, fifoPath } = await start("checkout.js", { args: ["--no-thresholds"] });
      await hasSamples(fifoPath);

      k6.stop();

      expect(await k6.exited).toEqual({ code: 105, signal: null });
      const lines = (await readFile(fifoPath, "utf8")).trimEnd().split("\n");
      const requests = lines.filter((line) =>
        line.startsWith('{"metric":"http_reqs","type":"Point"'),
      );
      expect((await k6.summary())?.metrics.get("http_reqs")?.values.get("count")).toBe(
        requests.length,
      );
    });

    it("is killed at the second stop, and has no summary", async () => {
      // Between the two signals a quick one might end by itself.
      const stubborn = join(folder.path, "stubborn.js");
      await writeFile(
        stubborn,
        `import http from "k6/http"; import { sleep } from "k6";
         export const options = { duration: "60s" };
         export default function () { http.get(__ENV.BASE_URL); sleep(0.01); }
         export function teardown() { sleep(60); }`,
      );
      const { process: k6, fifoPath } = await start(stubborn);
      await hasSamples(fifoPath);

      k6.stop();
      k6.stop();

      expect(await k6.exited).toEqual({ code: null, signal: "SIGKILL" });
      expect(await k6.summary()).toBeUndefined();
      // A stop that comes too late does no harm.
      k6.stop();
    });

    it("writes the outputs of K6_OUT and the summary that the user asked for too", async () => {
      const csv = join(folder.path, `${major}csv`);
      const exported = join(folder.path, `${major}summary.json`);
      await writeFile(exported, "of an earlier run");

      const {
        process: k6,
        options,
        fifoPath,
      } = await start("short.js", {
        args: ["--summary-export", exported, "--quiet", "-u1"],
        env: { K6_OUT: `csv=${csv}` },
      });
      await k6.exited;

      expect(await readFile(csv, "utf8")).toContain("http_reqs");
      expect((await stat(fifoPath)).size).toBeGreaterThan(0);
      expect((await k6.summary())?.metrics.get("iterations")?.values.get("count")).toBe(1);
      await expect(stat(options.summaryPath)).rejects.toThrow("ENOENT");
    });

    it("has no summary where the user disabled it, whatever lies there from an earlier run", async () => {
      const exported = join(folder.path, `${major}old.json`);
      await writeFile(exported, '{"metrics":{}}');
      const args = ["--summary-mode=disabled", "--summary-export", exported];
      const { process: k6 } = await start("short.js", { args });
      expect((await k6.exited).code).toBe(0);
      expect(await k6.summary()).toBeUndefined();
    });

    it("prints its summary on the standard output that it is given", async () => {
      const { process: k6 } = await start("short.js", { stdout: "pipe" });
      const printed = await k6.stdout?.map(String).toArray();
      expect(printed?.join("")).toContain("http_reqs");
      await k6.exited;
    });

    it("has no flag that the table does not know, and takes a value exactly where the table says", () => {
      // `path` is defined: without, this is skipped, or fails where services are required.
      const help = execFileSync(path ?? "", ["run", "--help"], { encoding: "utf8" });
      // "  -u, --vus int    …", "      --http-debug string[="headers"]    …" (a value after `=` only).
      const flags = help.matchAll(/^ +(?:-(\w), )? *--([\w-]+)( \S+(?: \S+)*)? *(?: {2}|$)/gm);
      const found = [...flags].map(([, short, name, type]) => ({
        name,
        ...(short !== undefined && { short }),
        takesValue: type !== undefined && !type.includes("[="),
      }));
      expect(found.length).toBeGreaterThan(45);
      expect(k6Flags).toEqual(expect.arrayContaining(found));

      const onlyElsewhere = k6Flags
        .map(({ name }) => name)
        .filter((name) => !found.some((flag) => flag.name === name));
      expect(onlyElsewhere).toEqual(major === "2." ? ["no-summary"] : ["no-summary", "features"]);
    });
  });

  async function start(
    script: string,
    { args = [], env, ...more }: Partial<Pick<K6RunOptions, "args" | "env" | "stdout">> = {},
  ) {
    runs += 1;
    const log: string[] = [];
    const fifoPath = join(folder.path, `${runs}.jsonl`);
    const options: K6RunOptions = {
      k6: await findK6({ path, env: process.env }),
      script: isAbsolute(script)
        ? script
        : fileURLToPath(new URL(`../../examples/${script}`, import.meta.url)),
      // k6 v1 listens at a fixed port unless told otherwise, and is not alone here.
      args: ["--address", "127.0.0.1:0", ...args],
      env: { ...process.env, K6_NO_USAGE_REPORT: "true", BASE_URL: shop.url, ...env },
      // Here a file: the reader's side of the FIFO is no part of these tests.
      samples: { kind: "lines", fifoPath },
      summaryPath: join(folder.path, `${runs}-summary.json`),
      stdout: "pipe",
      onLogLine: (line) => log.push(line),
      ...more,
    };
    const started = await startK6(options);
    if (more.stdout === undefined) started.stdout?.resume();
    return { process: started, options, fifoPath, log };
  }
});

describe("findK6", () => {
  it("says what to install where there is no k6 on PATH", async () => {
    const finding = findK6({ env: { PATH: folder.path } });
    await expect(finding).rejects.toMatchObject({ code: "GENERATOR_UNAVAILABLE" });
    await expect(finding).rejects.toThrow(/no "k6" on PATH.*install k6.*--k6 PATH/);
  });

  it("finds a program by name on PATH, past files that cannot be run", async () => {
    const bin = join(folder.path, "with-k6");
    await mkdir(bin);
    await writeFile(join(folder.path, "fake-k6"), "not executable");
    await writeFile(join(bin, "fake-k6"), "#!/bin/sh\necho 'k6 v3.1.4 (go9)'\n", { mode: 0o755 });
    const env = { PATH: `${folder.path}:${bin}` };
    expect(await findK6({ path: "fake-k6", env })).toEqual({
      path: join(bin, "fake-k6"),
      version: "3.1.4",
    });
  });

  it.each([
    {
      problem: "a file that is not there",
      path: "./no/k6",
      message: /"\.\/no\/k6" cannot be run: .*ENOENT/,
    },
    {
      problem: "a program that is not k6",
      path: process.execPath,
      message: /cannot be run|is not k6/,
    },
    {
      problem: "a program that says something else",
      path: "/bin/echo",
      message: /is not k6: "version" printed "version\\n"/,
    },
  ])("refuses $problem", async ({ path, message }) => {
    const finding = findK6({ path, env: process.env });
    await expect(finding).rejects.toMatchObject({ code: "GENERATOR_UNAVAILABLE" });
    await expect(finding).rejects.toThrow(message);
  });
});

it("refuses to start a script that does not exist", async () => {
  const starting = startK6({
    k6: { path: "k6", version: "2.2.0" },
    script: "no/such.js",
    args: [],
    env: {},
    samples: { kind: "lines", fifoPath: "fifo" },
    summaryPath: "summary.json",
    stdout: "pipe",
    onLogLine: () => {},
  });
  await expect(starting).rejects.toThrow(/script "no\/such\.js" cannot be read: ENOENT/);
});

let runs = 0;
let shop: Shop;
let folder: TemporaryFolder;
beforeAll(async () => {
  shop = await startShop();
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function hasSamples(path: string): Promise<void> {
  while (!(await readFile(path, "utf8").catch(() => "")).includes('"http_reqs","type":"Point"')) {
    await delay(50);
  }
}
