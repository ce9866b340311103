/**
 * A run as k6 would have written it with `--out json`, made from a seed: several endpoints, any time ago, and the same
 * again with one endpoint slower.
 */
import { writeFile } from "node:fs/promises";

export interface K6RunOptions {
  readonly file: string;
  /** Unix milliseconds of the first sample. */
  readonly startMs: number;
  readonly seconds: number;
  /** Default: none. By endpoint, what its durations are multiplied by. */
  readonly slower?: Readonly<Record<string, number>>;
}

/** By name, the method and about how many milliseconds a request takes. */
export const k6Endpoints = {
  products: { method: "GET", medianMs: 20 },
  product: { method: "GET", medianMs: 35 },
  cart: { method: "POST", medianMs: 60 },
  checkout: { method: "POST", medianMs: 180 },
} as const;

export const k6Vus = 5;
const requestsPerSecond = 40;
/** Of the checkouts, how many fail. */
const failEvery = 25;

const metrics = [
  ["vus", "gauge", "default"],
  ["http_reqs", "counter", "default"],
  ["http_req_duration", "trend", "time"],
  ["http_req_failed", "rate", "default"],
  ["checks", "rate", "default"],
  ["iterations", "counter", "default"],
  ["dropped_iterations", "counter", "default"],
] as const;

/** Writes the file. */
export async function writeK6Run(options: K6RunOptions): Promise<void> {
  const { file, startMs, seconds, slower = {} } = options;
  const lines = metrics.map(([name, type, contains]) =>
    JSON.stringify({ type: "Metric", metric: name, data: { name, type, contains } }),
  );
  const point = (
    metric: string,
    timeMs: number,
    value: number,
    tags: Readonly<Record<string, string>> = {},
  ): void => {
    const data = {
      time: new Date(timeMs).toISOString(),
      value,
      tags: { ...tags, scenario: "default" },
    };
    lines.push(JSON.stringify({ type: "Point", metric, data }));
  };
  const random = seeded(7);
  const endpoints = Object.entries(k6Endpoints);
  const count = seconds * requestsPerSecond;
  for (let at = 0; at <= count; at++) {
    const timeMs = startMs + Math.floor((at * 1_000) / requestsPerSecond);
    if (at % requestsPerSecond === 0) point("vus", timeMs, k6Vus);
    const [name, { method, medianMs }] = endpoints[at % endpoints.length]!;
    // Log-normal, as latencies are.
    const spread = Math.exp(0.5 * (random() + random() + random() - 1.5) * 2);
    const durationMs = medianMs * spread * (slower[name] ?? 1);
    const isFailed = name === "checkout" && at % failEvery === 0;
    const tags = { name, method, status: isFailed ? "500" : "200" };
    point("http_reqs", timeMs, 1, tags);
    point("http_req_duration", timeMs, durationMs, tags);
    point("http_req_failed", timeMs, isFailed ? 1 : 0, tags);
    point("checks", timeMs, isFailed ? 0 : 1, { check: "answers 200" });
    if (at % endpoints.length === 0) point("iterations", timeMs, 1);
  }
  point("dropped_iterations", startMs + seconds * 1_000, 3);
  await writeFile(file, `${lines.join("\n")}\n`);
}

/** Numbers from 0 up to 1, the same for each seed: mulberry32, which is public domain. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
