/**
 * Loads a URL with autocannon, and hands what it measures on as samples with k6's names and tags.
 *
 * In:  a URL and how to load it.
 * Out: samples, into a `SampleSink`, while the load runs; at the end autocannon's own counts, which are kept
 *      apart from the samples, so that the two can be held against each other.
 *
 * A VU is a connection. An iteration is a request, so `iterations` equals `http_reqs`. A request is a complete
 * response or a transport error (tag `status` is "0", as in k6). Requests that are in flight when the load ends
 * are cut off and counted by neither side; the server may have seen up to one per VU more. Redirects are
 * answers and not followed. Certificates are not checked.
 *
 * Source of names and tags: k6 `metrics/builtin.go`, `metrics/system_tag.go`.
 */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { Worker } from "node:worker_threads";
import { GeneratorError, messageOf } from "../errors.ts";
import type { Metric } from "../sample/metric.ts";
import type { SampleSink } from "../sample/sample.ts";
import {
  recordKinds,
  recordLength,
  stopMessage,
  transportErrors,
  type AutocannonCounts,
  type WorkerMessage,
  type WorkerOptions,
} from "./load-record.ts";

/** How long the first connection may take. Long for any network; a firewall that swallows packets never answers. */
const connectTimeoutMs = 10_000;

/** The worker is started from the built package: Node 20 runs no TypeScript. */
const workerUrl = new URL("./autocannon-worker.js", import.meta.url);

const metrics = {
  requests: { name: "http_reqs", type: "counter", contains: "default" },
  duration: { name: "http_req_duration", type: "trend", contains: "time" },
  failed: { name: "http_req_failed", type: "rate", contains: "default" },
  iterations: { name: "iterations", type: "counter", contains: "default" },
  received: { name: "data_received", type: "counter", contains: "data" },
  sent: { name: "data_sent", type: "counter", contains: "data" },
  vus: { name: "vus", type: "gauge", contains: "default" },
  vusMax: { name: "vus_max", type: "gauge", contains: "default" },
} as const satisfies Record<string, Metric>;

/** What autocannon knows, without HEAD and CONNECT: it waits for a body that never comes. */
export const loadMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const;

export interface AutocannonOptions {
  /** `http:` or `https:`. User and password become basic auth and appear nowhere else. */
  readonly url: URL;
  /** Connections, each with one request at a time. At least 1; no more than `rate` are used. */
  readonly vus: number;
  readonly durationMs: number;
  /** Requests per second over all connections, an integer; default: as fast as the answers come. */
  readonly rate?: number | undefined;
  /** One of `loadMethods`. */
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** See `parseExpectStatus`. */
  readonly expectStatus: (status: number) => boolean;
  /** Ends the load early; the result counts what was done until then. */
  readonly signal?: AbortSignal | undefined;
}

/** autocannon's own counts. */
export interface AutocannonResult {
  /** Responses and transport errors: what `http_reqs` adds up to. */
  readonly requests: number;
  /** Responses with an unexpected status and transport errors. */
  readonly failed: number;
  /** Transport errors. */
  readonly errors: number;
  readonly durationMs: number;
}

/**
 * Loads the URL until the duration is over or the signal aborts.
 *
 * @throws GeneratorError if the very first connection fails, autocannon refuses an option, or it breaks down
 */
export async function runAutocannon(
  options: AutocannonOptions,
  sink: SampleSink,
): Promise<AutocannonResult> {
  const { url, vus, durationMs, rate, method, headers, body, expectStatus, signal } = options;
  if (method === "HEAD") {
    throw new GeneratorError("autocannon cannot load with HEAD; use GET, or a k6 script");
  }
  await tryConnection(url);
  const workerData: WorkerOptions = {
    url: url.href,
    connections: Math.min(vus, rate ?? vus),
    durationMs,
    rate,
    method,
    headers,
    body,
  };
  const mapper = new RecordMapper(sink, { url, method, expectStatus });
  const worker = new Worker(workerUrl, { workerData });
  // The rule is about windows; a worker thread has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  const stop = () => worker.postMessage(stopMessage);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    const { responses, errors, byStatus, ...counts } = await new Promise<AutocannonCounts>(
      (resolve, reject) => {
        worker.on("message", (message: WorkerMessage) => {
          if (message instanceof Float64Array) mapper.add(message);
          else resolve(message);
        });
        worker.once("error", reject);
        worker.once("exit", () => reject(new Error("the worker ended without a result")));
      },
    );
    const unexpected = [...byStatus].filter(([status]) => !expectStatus(status));
    return {
      requests: responses + errors,
      failed: unexpected.reduce((sum, [, count]) => sum + count, errors),
      errors,
      durationMs: counts.durationMs,
    };
  } catch (cause) {
    throw new GeneratorError(`autocannon broke down: ${messageOf(cause)}`, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

/** autocannon counts a refused connection as an error and tries again, for the whole duration. */
async function tryConnection({ protocol, hostname, port, origin }: URL): Promise<void> {
  const secure = protocol === "https:";
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const address = { host, port: Number(port) || (secure ? 443 : 80) };
  const socket = secure
    ? connectTls({ ...address, rejectUnauthorized: false })
    : connectTcp(address);
  try {
    await once(socket, secure ? "secureConnect" : "connect", {
      signal: AbortSignal.timeout(connectTimeoutMs),
    });
  } catch (cause) {
    throw new GeneratorError(
      `${JSON.stringify(origin)} cannot be loaded: ${connectProblem(cause)}; no request was made`,
      { cause },
    );
  } finally {
    socket.destroy();
  }
}

function connectProblem(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "AbortError") return `no connection within ${connectTimeoutMs} ms`;
  // Where a name has several addresses, the message is empty and the code is that of the last one.
  return cause.message || ("code" in cause ? String(cause.code) : cause.name);
}

interface OutcomeSeries {
  readonly requests: number;
  readonly duration: number;
  readonly failed: number;
  /** 0 or 1, the value of `http_req_failed`. */
  readonly failedValue: number;
}

/** Turns the worker's records into samples. Series are interned once per outcome: a status, or an error. */
class RecordMapper {
  readonly #sink: SampleSink;
  readonly #request: Pick<AutocannonOptions, "method" | "expectStatus"> & { readonly name: string };
  /** By status, and by error code, which is 1000 or more. */
  readonly #outcomes = new Map<number, OutcomeSeries>();
  readonly #vus: readonly number[];
  readonly #perIteration: {
    readonly iterations: number;
    readonly received: number;
    readonly sent: number;
  };

  constructor(
    sink: SampleSink,
    { url, method, expectStatus }: Pick<AutocannonOptions, "url" | "method" | "expectStatus">,
  ) {
    const named = new URL(url);
    named.username = named.password = named.hash = "";
    const scenario = new Map([["scenario", "default"]]);
    this.#sink = sink;
    this.#request = { name: named.href, method, expectStatus };
    this.#vus = [sink.series(metrics.vus, new Map()), sink.series(metrics.vusMax, new Map())];
    this.#perIteration = {
      iterations: sink.series(metrics.iterations, scenario),
      received: sink.series(metrics.received, scenario),
      sent: sink.series(metrics.sent, scenario),
    };
  }

  add(records: Float64Array): void {
    const sink = this.#sink;
    for (let at = 0; at < records.length; at += recordLength) {
      const [kind = 0, code = 0, timestampMs = 0, durationMs = 0, received = 0, sent = 0] =
        records.subarray(at, at + recordLength);
      if (kind === recordKinds.vus) {
        for (const series of this.#vus) sink.sample(series, timestampMs, code);
        continue;
      }
      const outcome = this.#outcomes.get(code) ?? this.#open(code, kind === recordKinds.error);
      sink.sample(outcome.requests, timestampMs, 1);
      sink.sample(outcome.duration, timestampMs, durationMs);
      sink.sample(outcome.failed, timestampMs, outcome.failedValue);
      sink.sample(this.#perIteration.received, timestampMs, received);
      sink.sample(this.#perIteration.sent, timestampMs, sent);
      sink.sample(this.#perIteration.iterations, timestampMs, 1);
    }
  }

  #open(code: number, isError: boolean): OutcomeSeries {
    const { name, method, expectStatus } = this.#request;
    const expected = !isError && expectStatus(code);
    const tags = new Map([
      ["expected_response", String(expected)],
      ["method", method],
      ["name", name],
      ["scenario", "default"],
      ["status", isError ? "0" : String(code)],
    ]);
    // As k6 does: a response from 400 on has an error code too, 1000 more than its status.
    if (isError || code >= 400) tags.set("error_code", String(isError ? code : 1000 + code));
    if (isError) tags.set("error", transportErrors.get(code) ?? "transport error");
    const outcome = {
      requests: this.#sink.series(metrics.requests, tags),
      duration: this.#sink.series(metrics.duration, tags),
      failed: this.#sink.series(metrics.failed, tags),
      failedValue: expected ? 0 : 1,
    };
    this.#outcomes.set(code, outcome);
    return outcome;
  }
}
