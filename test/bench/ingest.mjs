/**
 * k6's JSON lines to encoded, compressed requests, against JSON.parse of each line of the same bytes.
 *
 * Without a file the lines are made here, in the shape and order in which k6 2.2.0 writes them: a shop with 40
 * endpoints, of which each request gives nine samples, and the samples of an iteration.
 */
import { readFileSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { Aggregator } from "../../dist/aggregate/aggregator.js";
import { BatchEncoder } from "../../dist/encode/batch-encoder.js";
import { PrometheusMapper } from "../../dist/encode/prometheus-mapper.js";
import { JsonLinesReader } from "../../dist/sample/json-lines.js";
import { median, ratioText, takeTurns } from "./compare.mjs";
import { profileCpu, profileHeap } from "./profile.mjs";

const rounds = 8;
/** As a file is read. */
const chunkBytes = 1 << 18;

/** @param {readonly string[]} args A file, and `--cpu-prof` or `--heap-prof`: which functions take what */
export async function bench(args) {
  const file = args.find((argument) => !argument.startsWith("--"));
  const bytes = file === undefined ? makeLines(40_000) : readFileSync(file);
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  console.log(`${lines} lines, ${(bytes.length / lines).toFixed(0)} bytes each, one thread`);
  if (args.includes("--cpu-prof") || args.includes("--heap-prof")) {
    for (let warm = 0; warm < 3; warm++) ingest(bytes);
    if (args.includes("--heap-prof")) await profileHeap(() => ingest(bytes), lines);
    else await profileCpu(() => ingest(bytes), "ingest.cpuprofile");
    return;
  }

  let result = { requests: 0, requestBytes: 0, read: 0, allocatedBytes: 0 };
  const turns = await takeTurns(
    {
      parse: () => parseLines(bytes),
      ingest: () => {
        result = ingest(bytes);
      },
    },
    rounds,
  );
  const rate = (/** @type {readonly number[]} */ all) => {
    const elapsed = median(all);
    return (
      `${((lines / elapsed) * 1e3).toFixed(2)} M lines/s, ${((bytes.length / elapsed) * 1e3).toFixed(0)} MB/s, ` +
      `${(elapsed / lines).toFixed(0)} ns/line`
    );
  };
  console.log(`JSON.parse per line            ${rate(turns.parse)}`);
  console.log(`lines to encoded requests      ${rate(turns.ingest)}`);
  console.log(`ratio                          ${ratioText(turns.parse, turns.ingest)}, target ≥ 3`);
  const { requests, requestBytes, read, allocatedBytes } = result;
  console.log(
    `allocated on the heap          ${((allocatedBytes * 2) / lines).toFixed(1)} bytes/line, in the second half`,
  );
  console.log(`${read} samples in ${requests} requests of ${requestBytes} bytes together`);
}

/** @param {Buffer} bytes */
function parseLines(bytes) {
  let parsed = 0;
  for (let start = 0; ;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return parsed;
    if (JSON.parse(bytes.toString("utf8", start, end)).type === "Point") parsed++;
    start = end + 1;
  }
}

/** @param {Buffer} bytes */
function ingest(bytes) {
  let requests = 0;
  let requestBytes = 0;
  const encoder = new BatchEncoder("2", ({ body }) => {
    requests++;
    requestBytes += body.length;
  });
  let id = 0;
  const mapper = new PrometheusMapper(
    {
      runLabels: [
        { name: "testid", value: "bench" },
        { name: "test", value: "bench" },
      ],
      extraTags: new Map(),
      trendForm: "native",
      trendStats: [],
      maxSeries: 100_000,
      relabel: (labels) => [...labels],
    },
    () => id++,
  );
  const aggregator = new Aggregator(mapper, encoder, {
    pushIntervalMs: 1_000,
    latenessMs: 250,
    staleMarkers: true,
    clock: { nowMs: () => Date.now(), sleep: async () => undefined },
  });
  const reader = new JsonLinesReader(aggregator);
  let allocatedBytes = 0;
  let heapBytes = 0;
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    reader.write(bytes.subarray(at, at + chunkBytes));
    if (at < bytes.length / 2) continue;
    const { used_heap_size: usedBytes } = getHeapStatistics();
    // A collection within a chunk hides what that chunk allocated, no more.
    if (heapBytes > 0 && usedBytes > heapBytes) allocatedBytes += usedBytes - heapBytes;
    heapBytes = usedBytes;
  }
  reader.end();
  aggregator.finish();
  return { requests, requestBytes, read: aggregator.counts.read, allocatedBytes };
}

/** @param {number} iterations */
function makeLines(iterations) {
  const random = seeded(42);
  const start = Date.UTC(2026, 7, 21, 10, 15, 42);
  /** @type {string[]} */
  const lines = [];
  const declared = new Set();
  const add = (
    /** @type {string} */ metric,
    /** @type {string} */ type,
    /** @type {string} */ contains,
    /** @type {string} */ time,
    /** @type {number} */ value,
    /** @type {string} */ tags,
  ) => {
    if (!declared.has(metric)) {
      declared.add(metric);
      const data = { name: metric, type, contains, thresholds: [], submetrics: null };
      lines.push(JSON.stringify({ type: "Metric", data, metric }));
    }
    lines.push(
      `{"metric":"${metric}","type":"Point","data":{"time":"${time}","value":${value},"tags":${tags}}}`,
    );
  };
  const phases = ["blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving"];
  for (let i = 0; i < iterations; i++) {
    const ms = start + i * 0.5;
    const time = `${new Date(ms).toISOString().slice(0, -1)}${String(Math.floor(random() * 1e6)).padStart(6, "0")}Z`;
    const url = `http://shop.test/products/${Math.floor(random() * 40)}`;
    const isFailed = random() < 0.01;
    const tags = JSON.stringify({
      expected_response: String(!isFailed),
      group: "::checkout",
      method: "GET",
      name: url,
      proto: "HTTP/1.1",
      scenario: "default",
      status: isFailed ? "500" : "200",
      url,
    });
    // Milliseconds with six decimals: a Go duration in nanoseconds.
    const duration = () => Math.floor(Math.exp(16 + random() * 3)) / 1e6;
    add("http_reqs", "counter", "default", time, 1, tags);
    add("http_req_duration", "trend", "time", time, duration(), tags);
    for (const phase of phases) {
      const value = phase.endsWith("ing") && random() < 0.3 ? 0 : duration() / 10;
      add(`http_req_${phase}`, "trend", "time", time, Math.round(value * 1e6) / 1e6, tags);
    }
    add("http_req_failed", "rate", "default", time, isFailed ? 1 : 0, tags);
    const plain = '{"group":"","scenario":"default"}';
    add("checks", "rate", "default", time, 1, '{"check":"is 200","group":"","scenario":"default"}');
    add("data_sent", "counter", "data", time, 512, plain);
    add("data_received", "counter", "data", time, 4_096, plain);
    add("iteration_duration", "trend", "time", time, duration(), plain);
    add("iterations", "counter", "default", time, 1, plain);
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

/**
 * Mulberry32 by Tommy Ettinger (public domain): the same numbers every time.
 *
 * @param {number} seed
 */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
