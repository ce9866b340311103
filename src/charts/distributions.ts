/**
 * The observations of a trend in each step of a run, exactly: from what was observed since the run began.
 *
 * Native histograms are asked for as they are and subtracted here. Prometheus 2 cannot subtract them (2.42 answers numbers
 * that mean nothing), and where a store can, it reads each of them twice for each quantile, which is what takes the time:
 * two hours of 50 endpoints are 360 000. Of classic histograms, as in VictoriaMetrics, each bucket is a counter.
 */
import { labelsKey } from "../query/store.ts";
import { fromRungs, inLadders } from "./classic-histogram.ts";
import { type Distribution, quantileOf, subtracted } from "./distribution.ts";
import { generatorLabels, type Values, withBefore } from "./growth.ts";
import type { RunQuestions } from "./run-questions.ts";
import { type Distributions, StepDistributions } from "./step-distributions.ts";

/**
 * Of one question: a histogram is some 20 kB, and what is parsed at once holds up everything else for as long. Each
 * question reads five minutes that lie before it as well, so that fewer times would cost the store more.
 */
const histogramsAtOnce = 300;
/** Where they are told apart, e.g. the endpoints of a chart. */
const groupsAtOnce = 10;

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

/**
 * One quantile by a label. A histogram of each of ten endpoints is too much to hand over where the store can subtract, and
 * take the quantile, itself.
 *
 * @throws StoreUnreachable
 */
export async function quantilesBy(
  questions: RunQuestions,
  q: number,
  { trend, matchers = "", by }: WhichObservations & { readonly by: string },
): Promise<ReadonlyMap<string, Values>> {
  const { grid, store, span } = questions;
  const which = { trend, matchers, by };
  const sums = sumsOf(questions, which);
  const [difference] = await store.instant(`${sums} - ${sums}`, span.to);
  const steps = new StepDistributions(grid.count, by);
  if (!difference?.histogram) {
    const found = await distributionsOf(questions, which);
    return new Map([...found].map(([group, list]) => [group, list.map(quantile)]));
  }
  const before = sumsOf(questions, which, ` offset ${grid.step}s`);
  // What begins in the middle of the run was nothing before.
  const grown = `${sums} - (${before} or 0 * ${sums})`;
  const [courses] = await Promise.all([
    store.range(`histogram_quantile(${q}, sum by (${by}) (${grown}))`, grid),
    addEnds(questions, which, steps),
  ]);
  return new Map(
    courses.map(({ labels, values }) => {
      const group = labels[by] ?? "";
      const ends = steps.found.get(group) ?? [];
      return [group, values.map((value, index) => value ?? quantile(ends[index] ?? null))];
    }),
  );

  function quantile(step: Distribution | null): number | null {
    return step && quantileOf(q, step);
  }
}

async function addNative(
  questions: RunQuestions,
  which: Required<WhichObservations>,
  steps: StepDistributions,
): Promise<void> {
  const { start, step, count } = withBefore(questions.grid);
  const timesAtOnce = which.by === "" ? histogramsAtOnce : histogramsAtOnce / groupsAtOnce;
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
  modifier: string = "",
): string {
  const labels = by === "" ? generatorLabels : `${by}, ${generatorLabels}`;
  return `sum by (${labels}) (${questions.run.k6(trend, matchers)}${modifier})`;
}
