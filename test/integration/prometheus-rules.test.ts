/** Prometheus' part of provisioning/, as promtool judges it, in the oldest and the newest version that the rules are for. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { describeWithTool } from "../support/tools.ts";

const folder = fileURLToPath(new URL("../../provisioning/prometheus/", import.meta.url));
const testFolder = fileURLToPath(new URL("../rules/", import.meta.url));

const filesIn = async (path: string): Promise<string[]> =>
  (await readdir(path)).filter((name) => name.endsWith(".yml")).map((name) => join(path, name));

/** Rejects with what was printed where promtool finds anything. */
const run = async (program: string, args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(program, args)).stdout;

describeWithTool("promtool-3", "Prometheus 3", (promtool) => {
  it("takes each configuration of the stack", async () => {
    const configurations = await filesIn(folder);
    expect(configurations.length).toBeGreaterThan(0);
    for (const file of configurations) {
      expect(
        await run(promtool, ["check", "config", "--lint=all", "--lint-fatal", file]),
      ).toContain("SUCCESS");
    }
  });
});

for (const tool of ["promtool-2", "promtool-3"] as const) {
  describeWithTool(tool, `the rules in ${tool}`, (promtool) => {
    it("are valid, and none is there twice", async () => {
      const files = await filesIn(join(folder, "rules"));
      const printed = await run(promtool, [
        "check",
        "rules",
        "--lint=all",
        "--lint-fatal",
        ...files,
      ]);
      expect(printed).toMatch(/SUCCESS: [1-9]\d* rules found/);
    });

    it("do what their tests say", async () => {
      const files = await filesIn(testFolder);
      expect(files.length).toBeGreaterThan(0);
      await run(promtool, ["test", "rules", ...files]);
    });
  });
}
