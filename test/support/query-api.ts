/**
 * Reads back what a store has, by the Prometheus HTTP API, which VictoriaMetrics answers too.
 */

export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
  /** A native histogram, as the API shows it; then `value` is NaN. */
  readonly histogram?: { readonly count: string; readonly sum: string };
}

export interface RangeResult {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix seconds and value. */
  readonly values: readonly (readonly [timeSeconds: number, value: number])[];
}

export interface QueryApi {
  /** An instant query, now or at a Unix time. One result per series. */
  query(promql: string, timeSeconds?: number): Promise<QueryResult[]>;
  /** Start and end included. */
  queryRange(
    promql: string,
    startSeconds: number,
    endSeconds: number,
    stepSeconds: number,
  ): Promise<RangeResult[]>;
}

interface RawResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, { readonly count: string; readonly sum: string }];
  readonly values?: readonly (readonly [number, string])[];
}

/** @param url Of the server, without `/api/v1`. */
export function createQueryApi(url: string): QueryApi {
  const ask = async (path: string, parameters: Record<string, string>): Promise<RawResult[]> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method: "POST",
      body: new URLSearchParams(parameters),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
    const answer: { readonly data: { readonly result: RawResult[] } } = JSON.parse(text);
    return answer.data.result;
  };
  return {
    query: async (promql, timeSeconds) => {
      const time = timeSeconds === undefined ? {} : { time: String(timeSeconds) };
      const results = await ask("query", { query: promql, ...time });
      return results.map(({ metric, value, histogram }) => ({
        metric,
        value: toNumber(value?.[1]),
        ...(histogram !== undefined && { histogram: histogram[1] }),
      }));
    },
    queryRange: async (promql, startSeconds, endSeconds, stepSeconds) => {
      const results = await ask("query_range", {
        query: promql,
        start: String(startSeconds),
        end: String(endSeconds),
        step: String(stepSeconds),
      });
      return results.map(({ metric, values = [] }) => ({
        metric,
        values: values.map(([timeSeconds, value]) => [timeSeconds, toNumber(value)] as const),
      }));
    },
  };
}

/** The API writes `+Inf` where JavaScript writes `Infinity`. */
function toNumber(text: string | undefined): number {
  return Number(text?.replace("Inf", "Infinity"));
}
