/**
 * `plimsoll serve` killed (SIGKILL) at CRASH_KILLS random moments of runs of unmodified k6, and Prometheus away for
 * CRASH_AWAY_SECONDS of it: what k6 counted, what the server says, and what Prometheus has. Fails where they differ.
 */
import { expect, it } from "vitest";
import { expectNothingLost, runCrashes } from "../support/crash-run.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { findTool, type ToolName } from "../support/tools.ts";

const kills = Number(process.env["CRASH_KILLS"]);
const awayMs = Number(process.env["CRASH_AWAY_SECONDS"]) * 1_000;
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 2 ** 31);
/** So that a minute without Prometheus is about the middle third of twenty kills, and some of them cut a start short. */
const withinMs = 10_000;

it(`loses nothing to ${kills} kills`, { timeout: 3_600_000 }, async () => {
  console.log(`seed ${seed}`);
  await using prometheus = await startPrometheus({ program: programOf("prometheus-3") });
  const result = await runCrashes({
    prometheus,
    generators: [
      { program: programOf("k6-2"), version: "2.2.0", flow: "k6 cloud run --local-execution" },
      { program: programOf("k6-2"), version: "2.2.0", flow: "k6 run --out cloud" },
      { program: programOf("k6-1"), version: "1.8.1", flow: "k6 run --out cloud" },
    ],
    seed,
    kills,
    withinMs,
    awayMs,
  });
  for (const [at, { atMs, afterMs, isServing, isStoreAway }] of result.kills.entries()) {
    const [time, age] = [atMs, afterMs].map((ms) => (ms / 1_000).toFixed(1));
    console.log(
      `kill ${at + 1} at ${time} s: a server ${age} s old, ${isServing ? "serving" : "starting"}` +
        (isStoreAway ? ", Prometheus away" : ""),
    );
  }
  const slowestMs = Math.max(...result.startsMs);
  console.log(`${result.startsMs.length} starts, the slowest took ${Math.round(slowestMs)} ms`);
  for (const { version, flow, run, exitCode, counts } of result.runs) {
    console.log(`k6 ${version}, ${flow}: ${run.state}, ${run.result}, exit ${exitCode}`);
    console.table(
      Object.fromEntries(
        Object.keys(counts.k6).map((metric) => [
          metric,
          {
            k6: counts.k6[metric],
            server: counts.server[metric],
            Prometheus: counts.store[metric],
          },
        ]),
      ),
    );
  }
  expect(result.runs).toHaveLength(3);
  expectNothingLost(result);
});

function programOf(tool: ToolName): string {
  const program = findTool(tool);
  if (program === undefined) throw new Error(`${tool} is missing: node scripts/tools.mjs install`);
  return program;
}
