/**
 * From when to when a run's values are: as its samples say, whose times are the generator's.
 */
import type { RunRecord } from "../runs/run-record.ts";
import { isOver } from "../runs/transitions.ts";
import { quoted } from "../query/promql.ts";
import type { Labels, Store } from "../query/store.ts";
import { generatorLabels } from "./growth.ts";
import type { Span } from "./times.ts";

export type ChartedRun = Pick<
  RunRecord,
  "testid" | "test" | "state" | "startedMs" | "endedMs" | "createdMs" | "lastDataMs" | "stores"
>;

/** One generator of a run, at the time of its last points. Its series end a millisecond later. */
export interface GeneratorEnd {
  readonly labels: Labels;
  /** In PromQL: this generator and no other. */
  readonly matchers: string;
  /** Unix seconds. */
  readonly at: number;
}

export interface RunSpan extends Span {
  /** Of the generators that have said that they are done. */
  readonly ends: readonly GeneratorEnd[];
}

/** Samples that are further ahead of the receiver's clock are dropped (aggregate/aggregator.ts). */
const aheadSeconds = 60;
/** A generator whose newest points are older is not waited for. */
const silentSeconds = 15;

/** @throws StoreUnreachable */
export async function spanOf(store: Store, run: ChartedRun, nowMs: number): Promise<RunSpan> {
  const from = (run.startedMs ?? run.createdMs) / 1_000;
  const recorded = (run.endedMs ?? run.lastDataMs ?? run.startedMs ?? run.createdMs) / 1_000;
  const isGone = isOver(run.state);
  const at = Math.ceil(isGone ? recorded + aheadSeconds : nowMs / 1_000);
  const ofRun = `{testid=${quoted(run.testid)}}`;
  const byGenerator = `max by (${generatorLabels})`;
  // When it was written, which no function tells of what is looked back for: each minute is asked for what it saw last, and of
  // what was written since the last one, now.
  const end = `timestamp(plimsoll_run_end_time_seconds${ofRun})`;
  const written = `max_over_time(${end}[${Math.ceil(at - from) + aheadSeconds}s:60s]) or ${end}`;
  const newest = ["k6_vus", "k6_http_reqs_total", "k6_iterations_total"]
    .map((series) => `timestamp(${series}${ofRun})`)
    .join(" or ");
  const [endings, living] = await Promise.all([
    store.instant(`${byGenerator} (${written})`, at),
    // Of a run that is over, these are of generators that said nothing of their end.
    store.instant(`${byGenerator} (${newest})`, at),
  ]);
  const ends = endings.map(({ labels, value }) => ({
    labels,
    matchers: ["instance_id", "load_zone"]
      .map((name) => `${name}=${quoted(labels[name] ?? "")}`)
      .join(", "),
    // A run's own series are written a millisecond after the last points of all others.
    at: Math.round(value * 1_000 - 1) / 1_000,
  }));
  const last = Math.max(...living.map(({ value }) => value));
  // What one generator has not sent yet would be missing in its sum, and nobody would ask again.
  const complete = living.map(({ value }) => value).filter((time) => time > last - silentSeconds);
  const to = isGone ? Math.max(...ends.map((end) => end.at), last) : Math.min(...complete);
  return { from, to: Number.isFinite(to) && to >= from ? to : Math.max(from, recorded), ends };
}
