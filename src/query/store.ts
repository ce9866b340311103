/**
 * Asks a Prometheus-compatible store for values: at a time, or at each time of a grid.
 *
 * In:  PromQL. Out: numbers and native histograms. Each question is a form that is posted, because a list of names may be
 * longer than a URL. Identical questions under way are asked once, and few at a time, so that a hundred viewers of a run
 * cost the store what one costs.
 *
 * Source: Prometheus HTTP API, "Instant queries", "Range queries", "Native histograms".
 */

/** Whoever can ask the store: `RemoteWriteClient` does it with the credentials of the receiver. */
export interface StoreAsker {
  /** Where samples are written, as runs name it: no credentials, no query string. */
  readonly displayUrl: string;
  ask(
    url: URL,
    form: URLSearchParams,
    limits: { readonly timeoutMs: number; readonly limitBytes: number },
  ): Promise<
    | { readonly kind: "answer"; readonly status: number; readonly body: string }
    | { readonly kind: "failure"; readonly text: string }
  >;
}

/** The store could not be asked, or did not answer as a store does. The message says what to look at. */
export class StoreUnreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StoreUnreachable";
  }
}

/** Times of a range query, Unix seconds: `start`, `start + step`, …; `count` of them. */
export interface Grid {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

export type Labels = Readonly<Record<string, string>>;

/** Of answers to one kind of question: a store names the labels in the same order each time. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(labels);
}

/** Observations in (lower, upper]. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

export interface Value {
  readonly labels: Labels;
  /** NaN where there is a histogram instead. */
  readonly value: number;
  /** Ascending. */
  readonly histogram?: readonly Bucket[];
  /** Of the histogram's observations. */
  readonly sum?: number;
}

export interface Course {
  readonly labels: Labels;
  /** One for each time of the grid; null where there is none, or it is not finite. */
  readonly values: readonly (number | null)[];
  /** Likewise, ascending. Absent where no answer held a native histogram. */
  readonly histograms?: readonly (readonly Bucket[] | null)[];
}

export interface Store {
  /** Where samples are written, as runs name it. */
  readonly displayUrl: string;
  /** @throws StoreUnreachable */
  instant(expression: string, timeSeconds: number): Promise<readonly Value[]>;
  /** @throws StoreUnreachable */
  range(expression: string, grid: Grid): Promise<readonly Course[]>;
}

/** For connecting, too: whoever waits longer for a page thinks that it is broken. */
const questionTimeoutMs = 10_000;
/** Three hundred histograms of 2 000 buckets are half of it; a usual answer is a hundredth. */
const limitBytes = 64 * 2 ** 20;
/** Of the 20 that Prometheus answers at a time (`--query.max-concurrency`): each is done the sooner, and Grafana has its share. */
const questionsAtOnce = 4;
/** Whoever comes later would wait for longer than anybody looks. */
const waitingLimit = 500;

/** With room for a clock that is not ours. */
const latencyOffsetSeconds = 60;
const clockSkewSeconds = 5;

interface Answer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly result?: unknown } | null;
}

interface RawSeries {
  readonly metric: Labels;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, RawHistogram];
  readonly values?: readonly (readonly [number, string])[];
  readonly histograms?: readonly (readonly [number, RawHistogram])[];
}

interface RawHistogram {
  readonly sum?: string;
  /** By which ends the bucket is closed, which does not matter here; lower bound; upper bound; count. */
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

/** @param queryUrl Of instant queries; that of range queries is `_range` longer. */
export function createStore(client: StoreAsker, queryUrl: URL): Store {
  const rangeUrl = new URL(queryUrl);
  rangeUrl.pathname += "_range";
  const underWay = new Map<string, Promise<readonly RawSeries[]>>();
  const waiting: (() => void)[] = [];
  let asked = 0;

  async function take(): Promise<void> {
    if (asked >= questionsAtOnce) {
      if (waiting.length >= waitingLimit) {
        throw new StoreUnreachable(
          `the store ${client.displayUrl} is asked more than it can answer: try again soon`,
        );
      }
      // Whoever is done hands its place on.
      await new Promise<void>((resolve) => waiting.push(resolve));
      return;
    }
    asked += 1;
  }

  function giveBack(): void {
    const next = waiting.shift();
    if (next) next();
    else asked -= 1;
  }

  async function askOnce(url: URL, form: URLSearchParams): Promise<readonly RawSeries[]> {
    await take();
    try {
      const answer = await client.ask(url, form, { timeoutMs: questionTimeoutMs, limitBytes });
      if (answer.kind === "failure") {
        throw new StoreUnreachable(
          `the store ${client.displayUrl} does not answer questions: ${answer.text}`,
        );
      }
      return readAnswer(answer, client.displayUrl);
    } finally {
      giveBack();
    }
  }

  function ask(
    url: URL,
    parameters: Readonly<Record<string, string>>,
  ): Promise<readonly RawSeries[]> {
    // VictoriaMetrics would answer from its cache what it has got later.
    const form = new URLSearchParams({ ...parameters, nocache: "1" });
    const key = `${url.pathname}?${form.toString()}`;
    const known = underWay.get(key);
    if (known) return known;
    const asking = askOnce(url, form).finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  }

  return {
    displayUrl: client.displayUrl,
    async instant(query, timeSeconds) {
      const results = await ask(queryUrl, { query, time: String(timeSeconds) });
      return results.map(({ metric, value, histogram }) => ({
        labels: metric,
        value: value ? toNumber(value[1]) : NaN,
        ...(histogram && {
          histogram: toBuckets(histogram[1]),
          sum: toNumber(histogram[1].sum ?? "0"),
        }),
      }));
    },
    async range(query, grid) {
      const { start, step } = grid;
      const results = await ask(rangeUrl, {
        query,
        start: String(start),
        end: String(askedEnd(grid, Date.now() / 1_000)),
        step: String(step),
      });
      return results.map((series) => toCourse(series, grid));
    },
  };
}

/**
 * VictoriaMetrics takes values of the last seconds for incomplete and repeats older ones in their place, unless the question
 * goes on beyond the step after now: what is then answered beyond the grid is not read.
 *
 * Source: VictoriaMetrics, `-search.latencyOffset` (30 s), `adjustLastPoints` in app/vmselect/prometheus/prometheus.go.
 */
function askedEnd({ start, step, count }: Grid, nowSeconds: number): number {
  const end = start + (count - 1) * step;
  if (end < nowSeconds - latencyOffsetSeconds) return end;
  const stepsToNow = Math.max(0, Math.ceil((nowSeconds - end) / step));
  // One is the step after now; the other is for clocks that differ.
  return end + (stepsToNow + 2) * step + Math.ceil(clockSkewSeconds / step) * step;
}

function readAnswer(
  { status, body }: { readonly status: number; readonly body: string },
  displayUrl: string,
): readonly RawSeries[] {
  const answer = parse(body);
  const result = answer?.data?.result;
  // A store's answer is what its API says: a wrong one shows as NaN or null, never as code.
  if (status === 200 && answer?.status === "success" && Array.isArray(result)) return result;
  const said = typeof answer?.error === "string" ? `: ${answer.error.slice(0, 300)}` : "";
  const advice =
    status === 401 || status === 403
      ? "; may the credentials of the output read as well as write?"
      : answer === undefined
        ? "; what answers there is no query API: is --query-url right?"
        : "";
  throw new StoreUnreachable(
    `the store ${displayUrl} answers a question with HTTP ${status}${said}${advice}`,
  );
}

function parse(body: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    // No JSON, so no query API.
    return undefined;
  }
}

function toCourse({ metric, values = [], histograms }: RawSeries, grid: Grid): Course {
  const indexOf = (timeSeconds: number): number =>
    Math.round((timeSeconds - grid.start) / grid.step);
  const numbers = Array.from<number | null>({ length: grid.count }).fill(null);
  for (const [timeSeconds, text] of values) {
    const value = toNumber(text);
    const at = indexOf(timeSeconds);
    if (Number.isFinite(value) && at < grid.count) numbers[at] = value;
  }
  if (!histograms) return { labels: metric, values: numbers };
  const buckets = Array.from<readonly Bucket[] | null>({ length: grid.count }).fill(null);
  for (const [timeSeconds, histogram] of histograms) {
    const at = indexOf(timeSeconds);
    if (at < grid.count) buckets[at] = toBuckets(histogram);
  }
  return { labels: metric, values: numbers, histograms: buckets };
}

function toBuckets({ buckets = [] }: RawHistogram): Bucket[] {
  return buckets.map(([, lower, upper, count]) => ({
    lower: toNumber(lower),
    upper: toNumber(upper),
    count: toNumber(count),
  }));
}

/** The API writes `+Inf` where JavaScript writes `Infinity`. */
export function toNumber(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}
