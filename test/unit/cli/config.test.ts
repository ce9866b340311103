import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configCommand } from "../../../src/cli/config.ts";
import type { Environment } from "../../../src/config/option-row.ts";
import { ConfigError } from "../../../src/errors.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

interface Invocation {
  readonly args?: readonly string[];
  readonly env?: Environment;
  /** Of plimsoll.yaml. */
  readonly yaml?: string;
}

/** What the command writes to stdout, in a folder of its own. */
async function run({ args = [], env = {}, yaml }: Invocation): Promise<string> {
  await using folder = await createTemporaryFolder();
  if (yaml !== undefined) await writeFile(join(folder.path, "plimsoll.yaml"), yaml);
  const written: string[] = [];
  const command = configCommand({
    stdout: { write: (text) => written.push(text) },
    stderr: { write: () => expect.unreachable("nothing is written to stderr") },
    env: { HOME: "/home/ann", ...env },
    cwd: folder.path,
  });
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return written.join("");
}

it("shows every option with its value and its source, in columns", async () => {
  const table = await run({
    args: ["--tag", "a=1", "--tag", "b=2,3", "--no-preflight", "--push-interval", "90s"],
    env: { K6_PROMETHEUS_RW_SERVER_URL: "http://prom:9090/w", PLIMSOLL_SPOOL_LIMIT: "512MiB" },
    yaml: "staleMarkers: false\nwriteRelabelConfigs: [{action: drop, regex: x}]\n",
  });
  const rows = table.split("\n").map((line) => line.split(/ {2,}/));
  expect(rows[0]).toEqual(["OPTION", "VALUE", "SOURCE"]);
  expect(rows).toContainEqual(["tags", "a=1, b=2,3", "--tag"]);
  expect(rows).toContainEqual(["preflight", "false", "--no-preflight"]);
  expect(rows).toContainEqual(["pushInterval", "1m30s", "--push-interval"]);
  expect(rows).toContainEqual([
    "remoteWriteUrl",
    "http://prom:9090/w",
    "K6_PROMETHEUS_RW_SERVER_URL",
  ]);
  expect(rows).toContainEqual(["spoolLimit", "512MiB", "PLIMSOLL_SPOOL_LIMIT"]);
  expect(rows).toContainEqual(["staleMarkers", "false", "plimsoll.yaml"]);
  expect(rows).toContainEqual(["writeRelabelConfigs", "1 rule of plimsoll.yaml", "plimsoll.yaml"]);
  expect(rows).toContainEqual(["test", "-", "default"]);
  const valueColumn = table.indexOf("VALUE");
  expect(table.split("\n").every((line) => line === "" || line[valueColumn - 1] === " ")).toBe(
    true,
  );
});

it("prints one JSON object with values in the units of their names", async () => {
  const json: unknown = JSON.parse(
    await run({ args: ["--json", "--tag", "a=1"], env: { PLIMSOLL_PUSH_INTERVAL: "5s" } }),
  );
  expect(json).toMatchObject({
    pushIntervalMs: { value: 5_000, source: "PLIMSOLL_PUSH_INTERVAL" },
    tags: { value: { a: "1" }, source: "--tag" },
    test: { value: null, source: "default" },
  });
});

it.each([[], ["--json"]])("masks every secret: %j", async (...args) => {
  const shown = await run({
    args: [...args, "--remote-write-header", "X-Key: s3cret"],
    env: { PLIMSOLL_OUT: "prometheus-rw=http://ann:s3cret@prom/?key=s3cret,json=a@b" },
    yaml: "remoteWriteUrl: http://ann:s3cret@prom/w?key=s3cret\n",
  });
  expect(shown).not.toContain("s3cret");
  expect(shown).toContain("********");
  expect(shown).toContain("X-Key");
});

it("takes the file that --config-file or PLIMSOLL_CONFIG_FILE names", async () => {
  const missing = (invocation: Invocation) => expect(run(invocation)).rejects.toThrow(ConfigError);
  await missing({ args: ["--config-file", "none.yaml"] });
  await missing({ env: { PLIMSOLL_CONFIG_FILE: "none.yaml" } });
});

it("switches on by a flag what the file switches off", async () => {
  const table = await run({ args: ["--stale-markers"], yaml: "staleMarkers: false\n" });
  expect(table).toMatch(/^staleMarkers +true +--stale-markers$/m);
});

it("reports every problem at once, of the relabel rules too", async () => {
  const invocation = {
    args: ["--trends", "x", "--remote-write-bearer-token", "t"],
    env: { PLIMSOLL_MAX_SERIES: "x", PLIMSOLL_REMOTE_WRITE_USERNAME: "ann" },
    yaml: "writeRelabelConfigs: [{action: x}]\n",
  };
  await expect(run(invocation)).rejects.toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      problems: [
        expect.objectContaining({ option: "--trends", source: "flags" }),
        expect.objectContaining({ option: "PLIMSOLL_MAX_SERIES", source: "environment" }),
        expect.objectContaining({ option: "write_relabel_configs[0].action" }),
        expect.objectContaining({ option: "--remote-write-bearer-token" }),
      ],
    }),
  );
});

it("refuses an unknown flag and names the right one", async () => {
  await expect(run({ args: ["--push-intervall", "5s"] })).rejects.toThrow("--push-interval?");
});
