/**
 * What the autocannon worker tells the pipeline, as plain numbers: many records in one transferable buffer.
 *
 * One record is six doubles:
 *
 *     0  kind           0: response · 1: transport error · 2: VUs
 *     1  code           HTTP status · error code (table below) · number of VUs
 *     2  timestampMs    Unix time, an integer; never falls from one record to the next
 *     3  durationMs     from the request's first byte handed to the socket to the response's last
 *     4  bytesReceived
 *     5  bytesSent
 */

export const recordLength = 6;

export const recordKinds = { response: 0, error: 1, vus: 2 } as const;

export const requestTimeout = 1050;
/** The server closed the connection in place of an answer. */
export const connectionClosed = 1220;
const otherError = 1000;

/**
 * Transport errors by their code, with the text of the `error` tag: a small closed set, so that it is safe as
 * a label. Source of the codes: k6's documentation, "Error codes".
 */
export const transportErrors: ReadonlyMap<number, string> = new Map([
  [otherError, "transport error"],
  [requestTimeout, "request timeout"],
  [1101, "host not found"],
  [1201, "broken pipe"],
  [1211, "dial timeout"],
  [1212, "connection refused"],
  [connectionClosed, "connection reset"],
  [1300, "TLS error"],
]);

const codesOfNode: ReadonlyMap<string, number> = new Map([
  ["ENOTFOUND", 1101],
  ["EAI_AGAIN", 1101],
  ["EPIPE", 1201],
  ["ETIMEDOUT", 1211],
  ["ECONNREFUSED", 1212],
  ["ECONNRESET", connectionClosed],
  ["EPROTO", 1300],
]);

/** `code` is that of a Node error, e.g. `ECONNREFUSED`. */
export function transportErrorCode(code: string | undefined): number {
  return codesOfNode.get(code ?? "") ?? (code?.startsWith("ERR_SSL") ? 1300 : otherError);
}

/** What the worker posts, in this order: any number of buffers, then one result. */
export type WorkerMessage = Float64Array<ArrayBuffer> | AutocannonCounts;

/** autocannon's own counts, kept by its own listeners. */
export interface AutocannonCounts {
  /** Responses that were complete before the end. */
  readonly responses: number;
  /** Connections that failed and requests that timed out. */
  readonly errors: number;
  /** Responses by HTTP status. */
  readonly byStatus: ReadonlyMap<number, number>;
  /** From the first request to the end; autocannon's own, in whole milliseconds, may be shorter than its requests. */
  readonly durationMs: number;
}

/** What the worker is started with. */
export interface WorkerOptions {
  readonly url: string;
  readonly connections: number;
  readonly durationMs: number;
  readonly rate: number | undefined;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The only message to the worker: end the load. */
export const stopMessage = "stop";
