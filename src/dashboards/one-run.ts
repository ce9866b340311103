/**
 * One value per run out of its own series (`plimsoll_…`), which each of its generators writes under its own
 * `instance_id` and `load_zone`.
 *
 * Counts of generators add up, and so do their VUs; a run begins with the first and ends with the last of them.
 * Quantiles cannot be added: that of a run is the slowest generator's, unless its histograms are still there.
 */

/** The last value of each of the series, over the time and of the runs in question. */
export type Said = (series: string, matchers?: string) => string;

export interface OneRun {
  /** 1 with the labels of `--tag`, but for those that tell generators apart. */
  readonly info: string;
  readonly start: string;
  readonly end: string;
  /** 1 with the label `state`: while one generator is running the run is, and it finished when all have. */
  readonly state: string;
  /** What a k6 counter counted. */
  readonly count: (metric: string) => string;
  /** Share of the samples of a k6 rate that are not zero. */
  readonly share: (metric: string) => string;
  /** The most of a k6 gauge, of all generators together. */
  readonly most: (metric: string) => string;
  /** A statistic of a k6 trend, of the generator in which it is highest. */
  readonly slowest: (metric: string, stat: string) => string;
  /** 1 or 0 for each threshold: it passed where it passed for each generator. */
  readonly thresholds: string;
  /** Every statistic that is kept, by `metric` and `stat`. */
  readonly summaries: string;
}

/** @param by The labels that tell runs apart; none where `said` is of one run. */
export function oneRun(said: Said, by: readonly string[]): OneRun {
  const per = (aggregation: string, expr: string, ...more: readonly string[]): string => {
    const labels = [...by, ...more];
    return `${aggregation}${labels.length === 0 ? "" : ` by (${labels.join(", ")})`} (${expr})`;
  };
  const summary = (matchers: string): string => said("plimsoll_run_summary", matchers);
  const of = (metric: string, stats: string): string =>
    summary(`metric="${metric}", stat=~"${stats}"`);
  const inState = (matcher: string): string => `(${said("plimsoll_run_state", matcher)} == 1)`;
  const states = `3 * ${inState('state="running"')} or 2 * ${inState('state!~"running|finished"')} or ${inState('state="finished"')}`;

  // Statistics that are no sum: made again of those that are.
  const stat = (name: string, expr: string): string =>
    `label_replace(${expr}, "stat", "${name}", "", "")`;
  const nonzero = per("sum", summary('stat="nonzero"'), "metric");
  const rate = `${nonzero} / ${per("sum", summary('stat=~"nonzero|zero"'), "metric")}`;
  const counts = summary('stat="count"');
  const averages = summary('stat="avg"');
  const times = per("sum", `${averages} * ignoring (stat) ${counts}`, "metric");
  const average = `${times} / ${per("sum", `${counts} and ignoring (stat) ${averages}`, "metric")}`;
  const added = `${summary('stat=~"count|nonzero|zero"')} or ${summary('metric=~"vus|vus_max"')}`;

  return {
    start: per("min", said("plimsoll_run_start_time_seconds")),
    end: per("max", said("plimsoll_run_end_time_seconds")),
    info: per("topk", `1, max without (instance_id, load_zone) (${said("plimsoll_run_info")})`),
    state: per("topk", `1, ${per("max", states, "state")}`),
    count: (metric) => per("sum", of(metric, "count")),
    share: (metric) =>
      `${per("sum", of(metric, "nonzero"))} / ${per("sum", of(metric, "nonzero|zero"))}`,
    most: (metric) => per("sum", of(metric, "max")),
    slowest: (metric, name) => per("max", of(metric, name)),
    thresholds: per("min", said("plimsoll_threshold_ok"), "metric", "threshold"),
    summaries: [
      per("sum", added, "metric", "stat"),
      per("min", summary('stat="min"'), "metric", "stat"),
      stat("rate", rate),
      stat("avg", average),
      per("max", summary(""), "metric", "stat"),
    ].join(" or "),
  };
}
