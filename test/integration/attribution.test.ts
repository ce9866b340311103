/**
 * Does the right resource come first? Each fault of the example shop under load, on a real Postgres with real exporters,
 * asked of a real Prometheus: `npm run bench -- attribution` in a short form.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeWithTool } from "../support/tools.ts";

const bench = fileURLToPath(new URL("../../scripts/bench.mjs", import.meta.url));

const faults = ["pool", "lock", "dependency", "cpu", "memory", "disk", "none"];

/** Long enough for four scrapes before, many during, and some after the fault. */
const runSeconds = 36;

describeWithTool("k6-2", "the resource that answers for the slow time", () => {
  describeWithTool("prometheus-3", "in Prometheus", () => {
    describeWithTool("node-exporter", "beside its host", () => {
      describeWithTool("postgres-exporter", "and its database", () => {
        it.each(faults)(
          "is the right one with the fault %s",
          async (fault) => {
            const flags = ["--seconds", String(runSeconds), "--scrape-seconds", "1"];
            const args = [bench, "attribution", "--repetitions", "1", "--faults", fault, ...flags];
            const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
            const [stdout, stderr] = await Promise.all([
              text(child.stdout),
              text(child.stderr),
              child.exitCode ?? once(child, "close"),
            ]);
            expect(stdout, stderr).toMatch(new RegExp(`^${fault} .* 1 of 1$`, "m"));
          },
          180_000,
        );
      });
    });
  });
});
