/**
 * Shows how a run is going: one line that renews itself on a terminal, a plain line now and then elsewhere.
 *
 * Goes to stderr: stdout is for k6's summary and for results that a program reads.
 */
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { OutputProgress } from "../output/output-progress.ts";
import type { PrometheusOutput } from "../output/prometheus-output.ts";
import { isInTrouble } from "../send/sender.ts";
import { formatCount, formatElapsed, formatSeconds, formatShare } from "./format.ts";

const terminalIntervalMs = 500;
const plainIntervalMs = 5_000;
/** Over how long requests per second are taken. */
const rateWindowMs = 3_000;

const separator = " · ";
/** Carriage return, then "erase to the end of the line" (ECMA-48, EL). */
const eraseLine = "\r\u001b[K";
const defaultColumns = 80;

export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export class Progress implements Disposable {
  readonly #stream: ProgressStream;
  readonly #isTerminal: boolean;
  readonly #parts: () => readonly string[];
  readonly #timer: NodeJS.Timeout | undefined;
  #isShown = false;

  /**
   * `parts` come in the order of their importance: those that do not fit on a terminal's line are left out.
   * With `isQuiet` only `log` writes.
   */
  constructor(stream: ProgressStream, parts: () => readonly string[], isQuiet: boolean) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true;
    this.#parts = parts;
    if (isQuiet) return;
    const intervalMs = this.#isTerminal ? terminalIntervalMs : plainIntervalMs;
    this.#timer = setInterval(() => this.#show(), intervalMs);
  }

  /** Writes a line of its own, above the progress. */
  log(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
  }

  /** Stops, and leaves the cursor at the start of an empty line. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #show(): void {
    const parts = this.#parts();
    if (!this.#isTerminal) {
      this.#stream.write(`${parts.join(separator)}\n`);
      return;
    }
    // In the last column some terminals begin a new line.
    const line = fit(parts, (this.#stream.columns ?? defaultColumns) - 1);
    this.#stream.write(`${this.#isShown ? eraseLine : ""}${line}`);
    this.#isShown = true;
  }

  #clear(): void {
    if (this.#isShown) this.#stream.write(eraseLine);
    this.#isShown = false;
  }
}

/** As many of the parts as fit, and the first one anyhow. */
function fit(parts: readonly string[], limit: number): string {
  let [line = "", ...rest] = parts;
  for (const part of rest) {
    const longer = line + separator + part;
    if (longer.length > limit) break;
    line = longer;
  }
  return line;
}

/** Makes the parts of a run's line. Call it about as often as the line is shown. */
export function createRunParts(
  output: PrometheusOutput,
  nowMs: () => number,
): () => readonly string[] {
  const startMs = nowMs();
  const window = [{ atMs: startMs, requests: 0 }];
  return () => {
    const totals = new Map(output.totals().map((total) => [total.metric.name, total]));
    const requests = totals.get("http_reqs")?.value ?? 0;
    const atMs = nowMs();
    window.push({ atMs, requests });
    while (window.length > 2 && atMs - (window[0]?.atMs ?? 0) > rateWindowMs) window.shift();
    const [first] = window;
    const elapsedMs = atMs - (first?.atMs ?? atMs);
    const perSecond = elapsedMs > 0 ? ((requests - (first?.requests ?? 0)) * 1_000) / elapsedMs : 0;
    const { progress } = output;
    const load = loadParts(totals, perSecond);
    const receiver = receiverParts(progress, atMs);
    return [
      formatElapsed(atMs - startMs),
      ...saturationParts(progress),
      // That nothing is taken is the news.
      ...(isInTrouble(progress.state) ? [...receiver, ...load] : [...load, ...receiver]),
      ...pointParts(progress),
    ];
  };
}

/** What is measured while it lasts is not only of the system under test. */
function saturationParts({ health }: OutputProgress): string[] {
  if (health?.isSaturated !== true) return [];
  return [`generator saturated (CPU ${formatShare(health.cpuRatio ?? 0)})`];
}

function loadParts(totals: ReadonlyMap<string, MetricTotals>, perSecond: number): string[] {
  const parts: string[] = [];
  const vus = totals.get("vus");
  if (vus) parts.push(`${vus.value} VUs`);
  const duration = totals.get("http_req_duration")?.trend;
  if (totals.has("http_reqs")) parts.push(`${formatCount(perSecond)} req/s`);
  if (duration && duration.count > 0) parts.push(`p95 ${formatSeconds(duration.quantile(0.95))}`);
  const failed = totals.get("http_req_failed");
  if (failed && failed.value + failed.zeros > 0) {
    parts.push(`failed ${formatShare(failed.value / (failed.value + failed.zeros))}`);
  }
  return parts;
}

/** How the receiver is, and what has been read and delivered. */
export function deliveryParts(progress: OutputProgress, nowMs: number): string[] {
  return [...receiverParts(progress, nowMs), ...pointParts(progress)];
}

export function receiverParts({ state }: Pick<OutputProgress, "state">, nowMs: number): string[] {
  if (!isInTrouble(state)) return ["receiver ok"];
  const what = state.kind === "held" ? "sending held" : "receiver away";
  return [`${what} ${formatElapsed(nowMs - state.sinceMs)}`, state.reason];
}

function pointParts({ samples, points }: OutputProgress): string[] {
  const rejected = [...points.rejected.values()].reduce((sum, count) => sum + count, 0);
  const dropped = samples.read - samples.aggregated;
  return [
    ...(rejected > 0 ? [`${formatCount(rejected)} rejected`] : []),
    ...(dropped > 0 ? [`${formatCount(dropped)} dropped`] : []),
    `${formatCount(points.pending)} pending`,
    `${formatCount(samples.read)} samples in`,
    `${formatCount(points.delivered)} points delivered`,
  ];
}
