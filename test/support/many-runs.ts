/**
 * The runs of a team over a year and more: some tests, each run a few times a day, with the tags, notes, thresholds and
 * summaries that a script with a dozen endpoints has. The same every time, newest last.
 */
import type { RunRepository } from "../../src/runs/run-repository.ts";
import type { Json, RunResult, SummaryRow, ThresholdVerdict } from "../../src/runs/run-record.ts";
import type { RunState } from "../../src/runs/run-state.ts";
import { newRun } from "./databases.ts";
import { seeded } from "./k6-run.ts";

const names = ["checkout", "search", "login", "browse", "import", "Größe", "api smoke", "soak"];
const places = ["", "-eu", "-us", "-mobile", " nightly"];
const people = ["ci", "ann", "bob", "christine", "nightly build"];
const notes = ["before the sale", "after the index was added", "new pool size", "flaky, see #4711"];

const beganMs = Date.UTC(2025, 8, 1);
const minute = 60_000;

const manyTests: readonly string[] = names.flatMap((name) => places.map((place) => name + place));

export async function makeManyRuns(repository: RunRepository, count: number): Promise<void> {
  const random = seeded(6);
  const among = <Value>(values: readonly Value[]): Value =>
    // There is one, as `random` is below 1.
    values[Math.floor(random() * values.length)] as Value;
  const tests = [];
  for (const name of manyTests) tests.push(await repository.ensureTest(1, name, beganMs));
  for (let n = 0; n < count; n++) {
    const test = among(tests);
    const createdMs = beganMs + n * 50 * minute;
    const startedMs = createdMs + 2_000;
    const durationMs = Math.round((1 + random() ** 3 * 120) * minute);
    const { state, result } = endOf(random(), n > count - 5);
    const requests = Math.round(durationMs * random());
    const { id } = await repository.create(
      newRun(test.id, `${test.name}-${n.toString(36).padStart(6, "0")}`, {
        startedBy: among(people),
        generator: among(["k6/2.2.0", "k6/2.1.0", "k6/1.3.0"]),
        options: optionsOf(random),
        maxVus: 200,
        expectedSeconds: durationMs / 1_000,
        thresholds: thresholdsOf(result),
        tags: {
          env: among(["staging", "production", "dev"]),
          release: `1.${Math.floor(n / 40)}`,
          commit: Math.floor(random() * 2 ** 40).toString(16),
          branch: random() < 0.7 ? "main" : `feature-${Math.floor(n / 25)}`,
          team: among(["shop", "search", "platform"]),
        },
        note: random() < 0.1 ? among(notes) : "",
        createdMs,
        tokenHash: `hash ${n}`,
        serverId: "",
      }),
    );
    await repository.change(id, {
      startedMs,
      lastDataMs: startedMs + durationMs,
      stores: ["http://prometheus.example:9090/api/v1/write"],
      archiveBytes: 40_960,
      logLines: Math.floor(random() * 200),
      ...(random() < 0.02 && { starred: true }),
      ...(state !== "running" && { summary: summaryOf(requests, random) }),
    });
    await repository.enter(id, { state: "running", atMs: startedMs });
    if (state !== "running") {
      await repository.enter(id, { state, atMs: startedMs + durationMs }, result);
    }
  }
}

function endOf(chance: number, isOn: boolean): { state: RunState; result: RunResult | undefined } {
  if (isOn) return { state: "running", result: undefined };
  if (chance < 0.8) return { state: "finished", result: "passed" };
  if (chance < 0.9) return { state: "finished", result: "failed" };
  if (chance < 0.95) return { state: "aborted_by_threshold", result: "failed" };
  return { state: chance < 0.98 ? "aborted_by_user" : "timed_out", result: "error" };
}

function thresholdsOf(result: RunResult | undefined): ThresholdVerdict[] {
  return ["p(95)<500", "p(99)<1500", "avg<200", "max<5000"].map((expression, n) => {
    const ok = result === undefined ? undefined : result !== "failed" || n > 0;
    return {
      metric: `http_req_duration{endpoint:${n}}`,
      expression,
      abortOnFail: n === 0,
      delayAbortEvalMs: 10_000,
      value: 123.456 + n,
      ok,
      generatorOk: ok,
    };
  });
}

/** Of k6's own metrics and a dozen endpoints: what a run has most of. */
function summaryOf(requests: number, random: () => number): SummaryRow[] {
  const trends = ["duration", "blocked", "connecting", "sending", "waiting", "receiving"].map(
    (part) => `http_req_${part}`,
  );
  const own = Array.from({ length: 12 }, (_, n) => `endpoint_${n}_duration`);
  const stats = ["count", "avg", "min", "med", "max", "p90", "p95", "p99"];
  return [
    { metric: "http_reqs", stat: "count", value: requests },
    { metric: "iterations", stat: "count", value: Math.round(requests / 12) },
    { metric: "http_req_failed", stat: "rate", value: random() * 0.02 },
    ...[...trends, ...own].flatMap((metric) =>
      stats.map((stat) => ({ metric, stat, value: stat === "count" ? requests : random() })),
    ),
  ];
}

/** With the stages of a ramp. */
function optionsOf(random: () => number): Json {
  const stages = Array.from({ length: 12 }, () => ({
    duration: `${Math.ceil(random() * 600)}s`,
    target: Math.ceil(random() * 200),
  }));
  return { scenarios: { load: { executor: "ramping-vus", stages } } };
}
