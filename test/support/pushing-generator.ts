/**
 * Pushes as k6 does, a second's buckets at a time, and remembers what was acknowledged.
 */
import { encodeMetricSet, type PushedMetric } from "./encode-metric-set.ts";
import type { PushOutcome } from "../../src/runs/run-service.ts";
import type { LiveHost } from "./live-host.ts";

export class PushingGenerator {
  readonly #host: LiveHost;
  readonly #runId: number;
  readonly #name: string;
  readonly #instance: string;
  #pushes = 0;
  /** Requests, and their durations, that the server has acknowledged. */
  requests = 0;
  durationsMs: number[] = [];
  failed = 0;

  /** @param name Makes its keys its own. */
  constructor(host: LiveHost, runId: number, name: string, instance = "") {
    this.#host = host;
    this.#runId = runId;
    this.#name = name;
    this.#instance = instance;
  }

  /** One push of what was measured in a second, by default the one that is over. */
  async push(requests: number, atMs: number = Date.now() - 1_000): Promise<PushOutcome> {
    const seconds = Math.floor(atMs / 1_000);
    const number = this.#pushes++;
    const durations = Array.from({ length: requests }, (_, at) => 10 + ((at * 37 + number) % 500));
    const failures = durations.map((_, at): number => (at % 5 === 0 ? 1 : 0));
    const of = (
      name: string,
      type: PushedMetric["type"],
      values: readonly number[],
    ): PushedMetric => ({
      name,
      type,
      series: [{ tags: { scenario: "default", status: "200" }, values: [{ seconds, values }] }],
    });
    const body = encodeMetricSet([
      of(
        "http_reqs",
        "counter",
        durations.map(() => 1),
      ),
      of("http_req_duration", "trend", durations),
      of("http_req_failed", "rate", failures),
      of("vus", "gauge", [number + 1]),
    ]);
    const key = `${this.#name}-${number}`;
    const push = { runId: this.#runId, instance: this.#instance, key, body };
    const outcome = await this.#host.pushSurely(push);
    this.requests += requests;
    this.durationsMs.push(...durations);
    this.failed += failures.reduce((sum, one) => sum + one, 0);
    return outcome;
  }
}
