/**
 * `plimsoll serve` killed at random moments while unmodified k6 runs, and Prometheus away for some of it: what k6 counted is
 * what Prometheus has and the server says, to the last sample. `npm run bench -- crashes` does the same at length.
 */
import process from "node:process";
import { expect, it } from "vitest";
import { expectNothingLost, runCrashes } from "../support/crash-run.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { describeWithTools, findTool } from "../support/tools.ts";

/** `CRASH_SEED`: the same moments once more, as far as a machine can do the same twice. */
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 2 ** 31);

describeWithTools(["prometheus-3", "k6-2"], "a server that is killed", () => {
  it(`has every sample of k6 (CRASH_SEED=${seed})`, async () => {
    await using prometheus = await startPrometheus({ program: findTool("prometheus-3")! });
    const k6 = { program: findTool("k6-2")!, version: "2.2.0" };
    const result = await runCrashes({
      prometheus,
      generators: [
        { ...k6, flow: "k6 cloud run --local-execution" },
        { ...k6, flow: "k6 run --out cloud" },
      ],
      seed,
      kills: 6,
      withinMs: 5_000,
      awayMs: 5_000,
    });
    expect(result.kills).toHaveLength(6);
    expect(result.runs).toHaveLength(2);
    expectNothingLost(result);
  });
});
