/**
 * The worker thread in which autocannon makes its load, so that load and pipeline have an event loop each.
 *
 * In:  `WorkerOptions` as worker data, `stopMessage`.
 * Out: records (load-record.ts) at least every 100 ms, then autocannon's own counts.
 *
 * Each record is written in an event of autocannon's client, before the listener that counts the same event
 * for autocannon's result: `response` (a complete response), `connError` and `timeout`. After its last tick
 * autocannon destroys its clients, and neither side hears of the requests that were in flight.
 *
 * Source: autocannon 8 `lib/run.js`, `lib/httpClient.js`.
 */
import type { EventEmitter } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import autocannon from "autocannon";
import { z } from "zod";
import {
  connectionClosed,
  recordKinds,
  recordLength,
  requestTimeout,
  stopMessage,
  transportErrorCode,
  type AutocannonCounts,
  type WorkerMessage,
  type WorkerOptions,
} from "./load-record.ts";

/** Half of what the pipeline may wait for a sample, for a timer that is late. */
const flushIntervalMs = 50;
/** Also flushed when this many records are there: 48 KiB, about 20 ms of what one core can make. */
const recordsPerBuffer = 1024;
/** As in k6, whose requests time out after 60 s. */
const timeoutSeconds = 60;
/** autocannon ends at the first tick after the duration. Its default, 1 s, would run up to 1 s too long. */
const tickMs = 50;

const closedUnanswered = new Error("the connection was closed before the answer");

/**
 * In a worker thread autocannon gives its raw counts and not the result that its types describe:
 * `totalCompletedRequests` is there `requests.total`.
 */
const rawResult = z.object({
  totalCompletedRequests: z.int(),
  errors: z.int(),
  statusCodeStats: z.record(z.string(), z.object({ count: z.int() })),
});

// Only `runAutocannon` starts this file, with these data.
const options: WorkerOptions = workerData;
if (!parentPort) throw new Error("autocannon-worker runs in a worker thread only");
const port = parentPort;

/** `Date.now` may jump; this clock only goes on. */
const originMs = Date.now() - performance.now();
let records = new Float64Array(recordsPerBuffer * recordLength);
let used = 0;
let firstRequestMs = Infinity;

function record(
  kind: number,
  code: number,
  durationMs: number,
  bytesReceived: number,
  bytesSent: number,
): void {
  const timestampMs = Math.floor(originMs + performance.now());
  records.set([kind, code, timestampMs, durationMs, bytesReceived, bytesSent], used);
  used += recordLength;
  if (used === records.length) flush();
}

function flush(): void {
  if (used === 0) return;
  const message: WorkerMessage = records.slice(0, used);
  port.postMessage(message, [message.buffer]);
  used = 0;
}

/**
 * Durations are measured here. autocannon's own start with the oldest request that it has not seen answered,
 * and it keeps one that the server cut off: where a server closes its connections, they grow without end.
 *
 * autocannon also says nothing of a request whose connection the server closes without an answer; it only
 * makes the next one. Here that is an error, put to autocannon as one, so that both sides count it.
 */
function watch(client: autocannon.Client): void {
  const emitter: EventEmitter = client;
  let startedMs = 0;
  let requestBytes = 0;
  let pending = false;
  let keptAlive = true;
  let unanswered = false;

  function recordError(code: number, durationMs: number, bytesSent: number): void {
    record(recordKinds.error, code, durationMs, 0, bytesSent);
  }

  emitter.on("request", () => {
    const nowMs = performance.now();
    firstRequestMs = Math.min(firstRequestMs, nowMs);
    // After "Connection: close" autocannon still writes to the old connection once. Nobody reads that.
    if (pending && keptAlive) {
      unanswered = true;
      const durationMs = nowMs - startedMs;
      // A time-out makes the next request too, and is emitted right after it: then it was no close.
      queueMicrotask(() => {
        if (!unanswered) return;
        unanswered = false;
        recordError(connectionClosed, durationMs, requestBytes);
        emitter.emit("connError", closedUnanswered);
      });
    }
    if (pending) keptAlive = true;
    startedMs = nowMs;
    pending = true;
    requestBytes ||= requestBytesOf(client);
  });
  emitter.on("headers", ({ shouldKeepAlive }: { readonly shouldKeepAlive: boolean }) => {
    keptAlive = shouldKeepAlive;
  });
  emitter.on("response", (status: number, bytes: number) => {
    pending = false;
    const durationMs = performance.now() - startedMs;
    record(recordKinds.response, status, durationMs, bytes, requestBytes);
  });
  emitter.on("connError", (error: NodeJS.ErrnoException) => {
    if (error === closedUnanswered) return;
    pending = false;
    keptAlive = true;
    recordError(transportErrorCode(error.code), performance.now() - startedMs, 0);
  });
  emitter.on("timeout", () => {
    // With a rate the next request may have to wait; without, it has begun and `startedMs` is its.
    if (!unanswered) pending = false;
    unanswered = false;
    recordError(requestTimeout, timeoutSeconds * 1000, requestBytes);
  });
}

/** Every request of a client has the same bytes. */
function requestBytesOf(client: autocannon.Client): number {
  // Not in autocannon's types: the client writes to its socket what this method returns.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { length } = (client as unknown as { getRequestBuffer(): Buffer }).getRequestBuffer();
  return length;
}

function recordVus(): void {
  record(recordKinds.vus, options.connections, 0, 0, 0);
}

function runLoad(): Promise<unknown> {
  const { url, connections, durationMs, rate, method, headers, body } = options;
  return new Promise((resolve, reject) => {
    const load = autocannon(
      {
        url,
        connections,
        duration: durationMs / 1000,
        sampleInt: tickMs,
        timeout: timeoutSeconds,
        // autocannon refuses a method that it does not know, so any string will do.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        method: method as NonNullable<autocannon.Options["method"]>,
        headers: { ...headers },
        setupClient: watch,
        ...(body !== undefined && { body }),
        // Its correction for coordinated omission would change latencies that nobody reads.
        ...(rate !== undefined && { overallRate: rate, ignoreCoordinatedOmission: true }),
      },
      (error: Error | null, result) => (error ? reject(error) : resolve(result)),
    );
    port.on("message", (message) => {
      if (message === stopMessage) load.stop();
    });
  });
}

recordVus();
const timers = [setInterval(flush, flushIntervalMs), setInterval(recordVus, 1000)];
const result = rawResult.parse(await runLoad());
for (const timer of timers) clearInterval(timer);
flush();
const counts: AutocannonCounts = {
  responses: result.totalCompletedRequests,
  errors: result.errors,
  byStatus: new Map(
    Object.entries(result.statusCodeStats).map(([status, { count }]) => [Number(status), count]),
  ),
  durationMs: performance.now() - firstRequestMs,
};
port.postMessage(counts);
port.close();
