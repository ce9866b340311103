/**
 * Does the right resource come first? Each fault of the example shop under load, on a real Postgres with real exporters,
 * asked of a real Prometheus: `npm run bench -- attribution` in a short form.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { describeWithTool } from "../support/tools.ts";

const bench = fileURLToPath(new URL("../../scripts/bench.mjs", import.meta.url));

const faults = ["pool", "lock", "dependency", "cpu", "memory", "disk", "none"];

/** Long enough for two windows of four scrapes before the fault, many during, and one after it. */
const runSeconds = 30;

describeWithTool("k6-2", "the resource that answers for the slow time", () => {
  describeWithTool("prometheus-3", "in Prometheus", () => {
    describeWithTool("node-exporter", "beside its host", () => {
      describeWithTool("postgres-exporter", "and its database", () => {
        let printed = "";

        beforeAll(async () => {
          const flags = ["--seconds", String(runSeconds), "--scrape-seconds", "1"];
          const args = [bench, "attribution", "--repetitions", "1", ...flags];
          const child = spawn(process.execPath, [...args, "--faults", faults.join(",")], {
            stdio: ["ignore", "pipe", "pipe"],
          });
          const [stdout, stderr] = await Promise.all([
            text(child.stdout),
            text(child.stderr),
            once(child, "close"),
          ]);
          printed = `${stdout}\n${stderr}`;
        }, 600_000);

        it.each(faults)("is the right one with the fault %s", (fault) => {
          expect(printed).toMatch(new RegExp(`^${fault} .* 1 of 1$`, "m"));
        });
      });
    });
  });
});
