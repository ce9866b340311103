/**
 * Asks a Prometheus-compatible store one question: the query API that belongs to a remote-write URL.
 *
 * Source: Prometheus HTTP API, "Instant queries"; the stores' URLs in docs/options.md.
 */
import { request } from "undici";
import { z } from "zod";

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

const answer = z.object({
  status: z.literal("success"),
  data: z.object({ result: z.array(z.unknown()) }),
});

/**
 * How many series the expression has at a time.
 *
 * @returns undefined if the store does not answer the question
 */
export async function countSeries(
  queryUrl: URL,
  expression: string,
  timestampMs: number,
  { headers, timeoutMs }: { headers: Readonly<Record<string, string>>; timeoutMs: number },
): Promise<number | undefined> {
  const url = new URL(queryUrl);
  url.searchParams.set("query", expression);
  url.searchParams.set("time", String(timestampMs / 1_000));
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await request(url, { headers, signal });
    if (statusCode !== 200) {
      await body.dump();
      return undefined;
    }
    const parsed = answer.safeParse(await body.json());
    return parsed.success ? parsed.data.data.result.length : undefined;
  } catch {
    // No API, no JSON, no answer: the caller is told that the store cannot be asked.
    return undefined;
  }
}
