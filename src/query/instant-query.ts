/**
 * Asks a Prometheus-compatible store one question: the query API that belongs to a remote-write URL.
 *
 * Source: Prometheus HTTP API, "Instant queries"; Mimir HTTP API, "Instant query".
 */

/** The write path's end, and the query path's in its place. */
const paths: readonly (readonly [write: string, query: string])[] = [
  ["/api/v1/write", "/api/v1/query"],
  // Mimir, Cortex.
  ["/api/v1/push", "/prometheus/api/v1/query"],
];

/** The instant-query URL of the store that takes samples at `writeUrl`, if its path is a known one. */
export function queryUrlOf(writeUrl: string): URL | undefined {
  const url = new URL(writeUrl);
  for (const [write, query] of paths) {
    if (!url.pathname.endsWith(write)) continue;
    url.pathname = url.pathname.slice(0, -write.length) + query;
    url.search = "";
    return url;
  }
  return undefined;
}

/** What is answered to a question; anything may come from elsewhere. */
interface Answer {
  readonly status?: unknown;
  readonly data?: { readonly result?: unknown } | null;
}

/** Whoever can ask the store: `RemoteWriteClient` does it with the credentials of the receiver. */
export interface StoreClient {
  getJson(url: URL, timeoutMs: number): Promise<unknown>;
}

const timeoutMs = 2_000;

/**
 * How many series the expression has at a time.
 *
 * @returns undefined if the store does not answer the question
 */
export async function countSeries(
  client: StoreClient,
  queryUrl: URL,
  expression: string,
  timestampMs: number,
): Promise<number | undefined> {
  const url = new URL(queryUrl);
  url.searchParams.set("query", expression);
  url.searchParams.set("time", String(timestampMs / 1_000));
  const answer = (await client.getJson(url, timeoutMs)) as Answer | null | undefined;
  const result = answer?.data?.result;
  return answer?.status === "success" && Array.isArray(result) ? result.length : undefined;
}
