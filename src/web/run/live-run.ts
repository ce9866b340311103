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
  /** In the order in which they are shown; series in the order in which they came, so that none changes its colour. */
  readonly #heads = new Map<string, { head: ChartHead; series: Map<string, string> }>();
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

  /** The whole run as /charts has it. Seconds that it has settled are forgotten. */
  setHistory(set: ChartSet): void {
    this.#learn(set);
    this.#missing = set.missing;
    this.#history = toLayer(set);
    const settled = set.times.findLast((time) => time <= (set.times.at(-1) ?? 0) - settledSeconds);
    if (settled !== undefined) dropUpTo(this.#live, settled);
    this.#shown = undefined;
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
    merge(this.#live, set);
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

  #compose(): LiveCharts {
    const pieces = [this.#history, this.#detail, this.#live].reduce(overlay, []);
    const charts = [...this.#heads.values()].map(({ head, series }) => ({
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

  #learn({ charts }: ChartSet): void {
    for (const { series, ...head } of charts) {
      const known = this.#heads.get(head.id) ?? { head, series: new Map<string, string>() };
      this.#heads.set(head.id, known);
      for (const { name } of series) known.series.set(name, toKey(head.id, name));
    }
  }
}

function emptyLayer(): Layer {
  return { times: [], columns: new Map() };
}

function toKey(chart: string, series: string): string {
  return `${chart} ${series}`; // ids have no spaces
}

function toLayer(set: ChartSet): Layer {
  const columns = new Map<string, Values>();
  for (const { id, series } of set.charts) {
    for (const { name, values } of series) columns.set(toKey(id, name), [...values]);
  }
  return { times: [...set.times], columns };
}

function merge({ times, columns }: Layer, set: ChartSet): void {
  const added = toLayer(set);
  for (const key of added.columns.keys()) {
    if (!columns.has(key))
      columns.set(
        key,
        times.map(() => null),
      );
  }
  for (const [index, time] of set.times.entries()) {
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

/** Puts a layer over pieces: between its first and its last time there is nothing but it. */
function overlay(pieces: readonly Piece[], layer: Layer): Piece[] {
  const first = layer.times[0];
  const last = layer.times.at(-1);
  if (first === undefined || last === undefined) return [...pieces];
  const before = pieces.map(({ layer, from, to }) => ({
    layer,
    from,
    to: Math.min(to, countBefore(layer.times, first)),
  }));
  const after = pieces.map(({ layer, from, to }) => ({
    layer,
    from: Math.max(from, countUpTo(layer.times, last)),
    to,
  }));
  return [...before, { layer, from: 0, to: layer.times.length }, ...after].filter(
    ({ from, to }) => from < to,
  );
}

function cut({ layer, from, to }: Piece, key: string): Values {
  return layer.columns.get(key)?.slice(from, to) ?? Array.from({ length: to - from }, () => null);
}
