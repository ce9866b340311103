/**
 * The observations of a trend in each step of a run, exactly: from what was observed since the run began.
 *
 * Native histograms are asked for as they are and subtracted here. Prometheus 2 cannot subtract them (2.42 answers numbers
 * that mean nothing), and where a store can, it reads each of them twice, which is what takes the time: two hours of 50
 * endpoints are 360 000. Three quantiles asked of the store would be six times as much. Of classic histograms, as in
 * VictoriaMetrics, each bucket is a counter.
 */
import { labelsKey } from "../query/store.ts";
import { fromRungs, inLadders } from "./classic-histogram.ts";
import { type Distribution, subtracted } from "./distribution.ts";
import { generatorLabels, withBefore } from "./growth.ts";
import type { RunQuestions } from "./run-questions.ts";
import { type Distributions, StepDistributions } from "./step-distributions.ts";

/**
 * Of one question: a histogram is some 20 kB, and what is parsed at once holds up everything else for as long. Each
 * question reads five minutes that lie before it as well, so that fewer times would cost the store more.
 */
const timesAtOnce = 300;

export interface WhichObservations {
  /** As it is stored, with its unit, e.g. `k6_http_req_duration_seconds`. */
  readonly trend: string;
  readonly matchers?: string;
  /** A label whose values are told apart. Default: none. */
  readonly by?: string;
}

/** @throws StoreUnreachable */
export async function distributionsOf(
  questions: RunQuestions,
  { trend, matchers = "", by = "" }: WhichObservations,
): Promise<Distributions> {
  const steps = new StepDistributions(questions.grid.count, by);
  const which = { trend, matchers, by };
  // The store has one kind; it has nothing to do for the other.
  await Promise.all([
    addNative(questions, which, steps),
    addEnds(questions, which, steps),
    addClassic(questions, which, steps),
  ]);
  return steps.found;
}

async function addNative(
  questions: RunQuestions,
  which: Required<WhichObservations>,
  steps: StepDistributions,
): Promise<void> {
  const { start, step, count } = withBefore(questions.grid);
  const reached = new Map<string, Distribution>();
  for (let at = 0; at < count; at += timesAtOnce) {
    const slice = { start: start + at * step, step, count: Math.min(timesAtOnce, count - at) };
    const courses = await questions.store.range(sumsOf(questions, which), slice);
    for (const { labels, histograms = [] } of courses) {
      const key = labelsKey(labels);
      histograms.forEach((sum, position) => {
        if (!sum) return;
        const before = reached.get(key) ?? (questions.isFromStart ? [] : undefined);
        if (before) steps.add(labels, at + position - 1, subtracted(sum, before));
        reached.set(key, sum);
      });
    }
  }
}

/**
 * What each generator observed between its last time on the grid and its own end, at which its series end. Prometheus 2
 * has no `last_over_time` of histograms, and later ones decode for it all that it looks back over.
 */
async function addEnds(
  questions: RunQuestions,
  which: Required<WhichObservations>,
  steps: StepDistributions,
): Promise<void> {
  const { grid, store, span } = questions;
  await Promise.all(
    span.ends.map(async ({ matchers, at }) => {
      const index = Math.ceil((at - grid.start) / grid.step);
      const time = grid.start + index * grid.step;
      if (index < 0 || index >= grid.count || time === at) return;
      const ofGenerator = [which.matchers, matchers].filter((part) => part !== "").join(", ");
      const sums = sumsOf(questions, { ...which, matchers: ofGenerator });
      const [before, atEnd] = await Promise.all([
        store.instant(sums, time - grid.step),
        store.instant(sums, at),
      ]);
      const known = new Map(before.map((value) => [labelsKey(value.labels), value.histogram]));
      for (const { labels, histogram = [] } of atEnd) {
        steps.add(labels, index, subtracted(histogram, known.get(labelsKey(labels)) ?? []));
      }
    }),
  );
}

async function addClassic(
  questions: RunQuestions,
  { trend, matchers, by }: Required<WhichObservations>,
  steps: StepDistributions,
): Promise<void> {
  const grown = await questions.grown(
    questions.run.k6(`${trend}_bucket`, matchers),
    by === "" ? ["le"] : ["le", by],
  );
  for (const { labels, rungs } of inLadders(grown)) {
    for (let index = 0; index < questions.grid.count; index++) {
      const counts = rungs.map(({ upper, item }) => ({ upper, count: item.growth[index] ?? 0 }));
      steps.add(labels, index, fromRungs(counts));
    }
  }
}

function sumsOf(
  questions: RunQuestions,
  { trend, matchers, by }: Required<WhichObservations>,
): string {
  const labels = by === "" ? generatorLabels : `${by}, ${generatorLabels}`;
  return `sum by (${labels}) (${questions.run.k6(trend, matchers)})`;
}
