/**
 * What the charts of one set show while a run goes on, put together from three layers.
 *
 * In:  the whole run from /charts (coarse where the run is long), a zoomed part of it (finer), seconds from the live feed.
 * Out: one row of times and values per chart, in which a finer layer stands in the place of a coarser one.
 * Its size does not grow with the run: seconds that are many are to be asked for again, coarser (`wantsHistory`).
 */
import type { Chart, ChartSet } from "../../charts/chart-data.ts";

/** Seconds of the live feed that are kept before /charts is asked again: as many points as it answers with by itself. */
const liveSeconds = 1_200;
/** Where /charts does not answer, the oldest seconds go: 40 series of an hour and a half are 2 MB. */
const mostLiveSeconds = 4 * liveSeconds;
/** A generator's samples may come this late; until then the live feed sends a second again, and /charts may lack some of it. */
const settledSeconds = 10;

type Values = (number | null)[];
/** Without values; they are in the layers. */
type ChartHead = Omit<Chart, "series">;

interface Layer {
  /** Seconds: the value at t is that of the time from t - step to t. */
  readonly step: number;
  readonly times: number[];
  /** By chart and series; each as long as `times`. */
  readonly columns: Map<string, Values>;
}

/** Part of a layer: from index `from` up to, but without, `to`. */
interface Piece {
  readonly layer: Layer;
  readonly from: number;
  readonly to: number;
}

export interface LiveCharts {
  /** Unix seconds, ascending; not everywhere equally far apart. */
  readonly times: readonly number[];
  readonly charts: readonly Chart[];
  readonly missing: readonly string[];
}

export class LiveRun {
  /** In the order in which they are shown. */
  readonly #charts: { readonly head: ChartHead; readonly series: Map<string, string> }[] = [];
  #missing: readonly string[] = [];
  #history: Layer = emptyLayer();
  #detail: Layer = emptyLayer();
  #live: Layer = emptyLayer();
  #shown: LiveCharts | undefined;

  /** Unix seconds up to which there is something; undefined where there is nothing. */
  get newestSeconds(): number | undefined {
    return this.#live.times.at(-1) ?? this.#history.times.at(-1);
  }

  /** /charts is to be asked for the whole run again: the seconds have become many. */
  get wantsHistory(): boolean {
    return this.#live.times.length > liveSeconds;
  }

  /**
   * The run so far as /charts has it. Seconds that it has settled are forgotten.
   *
   * @param seconds What it has behind `unsettledSince`, in seconds: those of the live feed, which are newer, stay over them.
   */
  setHistory(set: ChartSet, seconds?: ChartSet): void {
    this.#learn(set);
    this.#missing = set.missing;
    this.#history = toLayer(set);
    const settled =
      (seconds && unsettledSince(set)) ??
      set.times.findLast((time) => time <= (set.times.at(-1) ?? 0) - settledSeconds);
    if (settled !== undefined) dropUpTo(this.#live, settled);
    if (seconds && settled !== undefined) {
      this.#learn(seconds);
      dropBehind(this.#history, settled);
      const known = this.#live;
      this.#live = toLayer(seconds);
      dropUpTo(this.#live, settled);
      merge(this.#live, known);
    }
    this.#shown = undefined;
  }

  /** The whole run as /charts has it when it is over: nothing is newer. */
  setWhole(set: ChartSet): void {
    this.#live = emptyLayer();
    this.setHistory(set);
  }

  /** A part of the run in more detail, as long as somebody looks at it; null: nobody does. */
  setDetail(set: ChartSet | null): void {
    if (set) this.#learn(set);
    this.#detail = set ? toLayer(set) : emptyLayer();
    this.#shown = undefined;
  }

  /** Seconds of the live feed. They are right where they differ from what was there, also where they have no value. */
  addLive(set: ChartSet): void {
    this.#learn(set);
    merge(this.#live, toLayer(set));
    const excess = this.#live.times.length - mostLiveSeconds;
    if (excess > 0) dropUpTo(this.#live, this.#live.times[excess - 1] ?? 0);
    this.#shown = undefined;
  }

  /** The live feed cannot go on where it was: what it sent so far has a hole behind it. */
  forgetLive(): void {
    this.#live = emptyLayer();
    this.#shown = undefined;
  }

  /** The same object until something changes. Series without any value are left out. */
  get charts(): LiveCharts {
    return (this.#shown ??= this.#compose());
  }

  /**
   * How much a rate comes to over the whole run, exactly: each value times the seconds that it stands for.
   *
   * @returns null where there is none
   */
  total(chart: string, series: string): number | null {
    const key = toKey(chart, series);
    let total: number | null = null;
    for (const piece of overlay(overlay([], this.#history), this.#live)) {
      for (const value of cut(piece, key)) {
        if (value !== null) total = (total ?? 0) + value * piece.layer.step;
      }
    }
    return total;
  }

  #compose(): LiveCharts {
    const pieces = [this.#history, this.#detail, this.#live].reduce(overlay, []);
    const charts = this.#charts.map(({ head, series }) => ({
      ...head,
      series: [...series].flatMap(([name, key]) => {
        const values = pieces.flatMap((piece) => cut(piece, key));
        return values.some((value) => value !== null) ? [{ name, values }] : [];
      }),
    }));
    return {
      times: pieces.flatMap(({ layer, from, to }) => layer.times.slice(from, to)),
      charts,
      missing: this.#missing,
    };
  }

  /** A chart that has its first values late stands where the set has it, behind the one before it. */
  #learn({ charts }: ChartSet): void {
    let previous: string | undefined;
    for (const { series, ...head } of charts) {
      let known = this.#charts.find((chart) => chart.head.id === head.id);
      if (!known) {
        known = { head, series: new Map() };
        const at = this.#charts.findIndex((chart) => chart.head.id === previous);
        this.#charts.splice(at + 1, 0, known);
      }
      learnSeries(
        known.series,
        head.id,
        series.map(({ name }) => name),
      );
      previous = head.id;
    }
  }
}

/**
 * Of a run that goes on, the end of the last coarse value that does not change any more: the step of the last one may not be
 * over. Undefined where values are of seconds, which the live feed replaces one by one.
 */
export function unsettledSince({ step, times }: ChartSet): number | undefined {
  const last = times.at(-1);
  if (step === 1 || last === undefined) return undefined;
  return times.findLast((time) => time <= last - step - settledSeconds) ?? (times[0] ?? 0) - step;
}

/**
 * A series that has its first values late stands before those that the set has behind it: requests done are not another colour
 * because one of them failed first. Of endpoints, whose order is another each time, a new one is the last.
 */
function learnSeries(known: Map<string, string>, id: string, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (known.has(name)) continue;
    const behind = names.slice(index + 1);
    const order = [...known.keys()];
    const next = id === "endpoints" ? -1 : order.findIndex((other) => behind.includes(other));
    order.splice(next < 0 ? order.length : next, 0, name);
    known.clear();
    for (const each of order) known.set(each, toKey(id, each));
  }
}

function emptyLayer(): Layer {
  return { step: 1, times: [], columns: new Map() };
}

function toKey(chart: string, series: string): string {
  return `${chart} ${series}`; // ids have no spaces
}

function toLayer(set: ChartSet): Layer {
  const columns = new Map<string, Values>();
  for (const { id, series } of set.charts) {
    for (const { name, values } of series) columns.set(toKey(id, name), [...values]);
  }
  return { step: set.step, times: [...set.times], columns };
}

function merge({ times, columns }: Layer, added: Layer): void {
  for (const key of added.columns.keys()) {
    if (!columns.has(key))
      columns.set(
        key,
        times.map(() => null),
      );
  }
  for (const [index, time] of added.times.entries()) {
    const at = countBefore(times, time);
    if (times[at] !== time) {
      times.splice(at, 0, time);
      for (const values of columns.values()) values.splice(at, 0, null);
    }
    for (const [key, values] of columns) values[at] = added.columns.get(key)?.[index] ?? null;
  }
}

/** How many of the ascending times are before this one. What is looked for is nearly always at the end. */
function countBefore(times: readonly number[], time: number): number {
  return times.findLastIndex((each) => each < time) + 1;
}

function countUpTo(times: readonly number[], time: number): number {
  return times.findLastIndex((each) => each <= time) + 1;
}

function dropUpTo({ times, columns }: Layer, time: number): void {
  const dropped = countUpTo(times, time);
  times.splice(0, dropped);
  for (const values of columns.values()) values.splice(0, dropped);
}

function dropBehind({ times, columns }: Layer, time: number): void {
  const kept = countUpTo(times, time);
  times.length = kept;
  for (const values of columns.values()) values.length = kept;
}

/**
 * Puts a layer over pieces: between its first and its last time there is nothing but it.
 *
 * A coarse value before it may reach into it. Then that value stays, and the layer begins behind it: no second is missing, and
 * none is counted twice.
 */
function overlay(pieces: readonly Piece[], layer: Layer): Piece[] {
  const [first] = layer.times;
  const last = layer.times.at(-1);
  if (first === undefined || last === undefined) return [...pieces];
  const begin = first - layer.step;
  const reaching = pieces.flatMap(({ layer: { times, step }, from, to }) => {
    const at = Math.max(from, countBefore(times, begin));
    const time = at < to ? times[at] : undefined;
    return time !== undefined && time - step < begin && time <= last ? [time] : [];
  });
  const border = Math.max(begin, ...reaching);
  const before = pieces.map((piece) => ({
    ...piece,
    to: Math.min(piece.to, countUpTo(piece.layer.times, border)),
  }));
  const after = pieces.map((piece) => ({
    ...piece,
    from: Math.max(piece.from, countUpTo(piece.layer.times, last)),
  }));
  const own = { layer, from: countUpTo(layer.times, border), to: layer.times.length };
  return [...before, own, ...after].filter(({ from, to }) => from < to);
}

function cut({ layer, from, to }: Piece, key: string): Values {
  return layer.columns.get(key)?.slice(from, to) ?? Array.from({ length: to - from }, () => null);
}
