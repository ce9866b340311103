/**
 * From when to when a run's values are: as its samples say, whose times are the generator's.
 */
import type { RunRecord } from "../runs/run-record.ts";
import { isOver } from "../runs/transitions.ts";
import { quoted } from "../query/promql.ts";
import type { Store } from "../query/store.ts";
import { generatorLabels } from "./growth.ts";
import type { Span } from "./times.ts";

export type ChartedRun = Pick<
  RunRecord,
  "testid" | "test" | "state" | "startedMs" | "endedMs" | "createdMs" | "lastDataMs" | "stores"
>;

/** Samples that are further ahead of the receiver's clock are dropped (aggregate/aggregator.ts). */
const aheadSeconds = 60;
/** A generator whose newest points are older is not waited for. */
const silentSeconds = 15;

/** @throws StoreUnreachable */
export async function spanOf(store: Store, run: ChartedRun, nowMs: number): Promise<Span> {
  const from = (run.startedMs ?? run.createdMs) / 1_000;
  const recordedEnd = (run.endedMs ?? run.lastDataMs ?? run.startedMs ?? run.createdMs) / 1_000;
  const ofRun = `{testid=${quoted(run.testid)}}`;
  if (isOver(run.state)) {
    const at = Math.ceil(recordedEnd) + aheadSeconds;
    const ends = `last_over_time(plimsoll_run_end_time_seconds${ofRun}[${Math.ceil(at - from) + aheadSeconds}s])`;
    const [end] = await store.instant(`max(${ends})`, at);
    return { from, to: end && end.value >= from ? end.value : recordedEnd };
  }
  const newest = ["k6_vus", "k6_http_reqs_total", "k6_iterations_total"]
    .map((series) => `timestamp(${series}${ofRun})`)
    .join(" or ");
  const times = await store.instant(
    `max by (${generatorLabels}) (${newest})`,
    Math.floor(nowMs / 1_000),
  );
  const last = Math.max(...times.map(({ value }) => value));
  // What one generator has not sent yet would be missing in its sum, and nobody would ask again.
  const complete = times.map(({ value }) => value).filter((time) => time > last - silentSeconds);
  return { from, to: complete.length > 0 ? Math.min(...complete) : recordedEnd };
}
