/**
 * PromQL and variables for two runs beside each other: `$a` on its own time axis, `$b` moved onto it.
 *
 * Three ways to a figure, by what is left of a run:
 * - `kept`: over the whole run, for as long as `plimsoll_run_*` is kept, wherever the time range is;
 * - `atEnd`: over the whole run, exactly, from the last points of its counters and histograms;
 * - `moved`: its course, B's by `$offset`, which also brings metrics that no run is a label of.
 */
import { VariableSort } from "@grafana/grafana-foundation-sdk/dashboard";
import { oneRun, type OneRun } from "./one-run.ts";
import { orClassic, quantileOfLast } from "./promql.ts";
import { firstLabel, labelVariable, linkedRunVariable, type Variable } from "./variables.ts";

export type RunName = "a" | "b";

/** Ten years around the end of the time range: a run's own few points are found wherever they are. */
export const anyTime = "[10y] offset -5y";

/** Moves what it follows from B's time to A's. In milliseconds, in which a run's start is known. */
const byOffset = " offset ${offset}ms";

/** The modifier of a selector for each run. */
export const moved: Readonly<Record<RunName, string>> = { a: "", b: byOffset };

export function ofRunNamed(run: RunName): string {
  return `testid="$${run}"`;
}

function selector(series: string, run: RunName, matchers: string): string {
  return `${series}{${[ofRunNamed(run), ...(matchers === "" ? [] : [matchers])].join(", ")}}`;
}

function keptOf(run: RunName): OneRun {
  return oneRun(
    (series, matchers = "") => `last_over_time(${selector(series, run, matchers)}${anyTime})`,
    [],
  );
}

/** Each run's one value of `plimsoll_…`, without labels. */
export const kept: Readonly<Record<RunName, OneRun>> = { a: keptOf("a"), b: keptOf("b") };

/** The window that holds the whole run, and the moment of its last points. */
const whole = (run: RunName): string => `[\${lasted_${run}}s] @ $end_${run}`;

/**
 * A counter as the run left it, also that of a generator that ended before the others. While it runs: as it is at the
 * end of the time range.
 */
export function atEnd(series: string, run: RunName, matchers: string = ""): string {
  return `last_over_time(${selector(series, run, matchers)}${whole(run)})`;
}

/** A quantile of a k6 trend of times over the whole run, by labels. */
export function wholeQuantile(q: number, run: RunName, by: readonly string[] = []): string {
  const series = selector("k6_http_req_duration${histogram}", run, "");
  const grouping = `sum by (${["le", ...by].join(", ")})`;
  return orClassic(
    quantileOfLast(q, grouping, {
      last: `last_over_time(${series}${whole(run)})`,
      now: `${series} @ $end_${run}`,
      increase: `increase(${series}${whole(run)})`,
    }),
  );
}

/** What a k6 counter counted in the run. */
export function total(metric: string, run: RunName): string {
  return `(${kept[run].count(metric)} or sum(${atEnd(`k6_${metric}_total`, run)}))`;
}

/** Seconds from the run's first sample to its last, or to now. */
export function duration(run: RunName): string {
  return `((${kept[run].end} or vector(time())) - ${kept[run].start})`;
}

/** The most virtual users at once; of a run that goes on, up to now. */
export function peakVus(run: RunName): string {
  return `(${kept[run].most("vus")} or sum(max_over_time(k6_vus{${ofRunNamed(run)}}${whole(run)})))`;
}

/** Share of the requests of the whole run that failed; by labels, e.g. ` by (name)`. */
export function failedShare(run: RunName, by: string = ""): string {
  const failed = atEnd("k6_http_req_failed_total", run, 'condition="nonzero"');
  const all = atEnd("k6_http_req_failed_total", run);
  return `sum${by} (${failed}) / sum${by} (${all})`;
}

/** How A differs from B: 0.2 says that A is a fifth above B. */
export function difference(a: string, b: string): string {
  return `${a} / ${b} - 1`;
}

/** Gives what has no labels, or not this one, a label. */
export function labelled(expr: string, label: string, value: string): string {
  return `label_replace(${expr}, "${label}", "${value}", "", "")`;
}

/** The same of both runs, told apart by the label `run`. */
export function ofBoth(expr: (run: RunName) => string): string {
  return `${labelled(expr("a"), "run", "A")} or ${labelled(expr("b"), "run", "B")}`;
}

/** The value itself: Grafana writes a result as `{labels} value time`. */
const value = /} (-?[0-9.]+) /.source;

const start = "plimsoll_run_start_time_seconds";

/** The two runs, whatever the time range is; newest first, so that the newest is chosen at first. */
export function twoRunsVariables(): readonly Variable[] {
  const chosen = (name: string, label: string, description: string, query: string): Variable =>
    labelVariable({
      name,
      label,
      description,
      query: `query_result(${query})`,
      regex: firstLabel,
      sort: VariableSort.Disabled,
    });
  const by = (label: string, matchers: string = ""): string =>
    `max by (${label}) (last_over_time(${start}{${matchers}}${anyTime}))`;
  // Twice a time is after all others: what is asked for comes first, though others ran later.
  const first = (preferred: string, all: string): string => `sort_desc(2 * ${preferred} or ${all})`;
  return [
    linkedRunVariable(),
    chosen(
      "test_a",
      "Test A",
      "The test of run A.",
      first(by("test", 'testid="$testid"'), by("test")),
    ),
    chosen(
      "a",
      "Run A",
      "The run that is judged. Its time is the time axis.",
      first(by("testid", 'test="$test_a", testid="$testid"'), by("testid", 'test="$test_a"')),
    ),
    chosen(
      "test_b",
      "Test B",
      "The test of run B; at first that of A.",
      first(by("test", 'test="$test_a"'), by("test")),
    ),
    chosen(
      "b",
      "Run B",
      "The run that A is held against, of any time.",
      `sort_desc(${by("testid", 'test="$test_b", testid!="$a"')})`,
    ),
    ...hiddenVariables(),
  ];
}

function hiddenVariables(): readonly Variable[] {
  const number = (name: string, description: string, query: string): Variable =>
    labelVariable({
      name,
      label: name,
      description,
      query: `query_result(${query})`,
      regex: `/${value}/`,
      hidden: true,
    });
  const offset = `round(1000 * (${kept.a.start} - ${kept.b.start}))`;
  const ends = (["a", "b"] as const).flatMap((run) => {
    const series = "plimsoll_run_end_time_seconds";
    const point = `timestamp(${series}{${ofRunNamed(run)}} @ $seen_${run})`;
    return [
      number(
        `seen_${run}`,
        "A time soon after the run's end, in Unix seconds.",
        // Well within the five minutes for which a point is seen.
        `${kept[run].end} + 240 or vector(time())`,
      ),
      number(
        `end_${run}`,
        "The time of the run's last points, in Unix seconds: a millisecond before its end is written.",
        `max(${point}) - 0.001 or vector($seen_${run})`,
      ),
      number(
        `lasted_${run}`,
        "How long the run lasted, in whole seconds, and a minute more.",
        `ceil($end_${run} - ${kept[run].start}) + 60`,
      ),
    ];
  });
  return [
    number(
      "offset",
      "A's start minus B's, in milliseconds.",
      // Prometheus 2 refuses an offset of nothing.
      `(${offset} != 0) or vector(1)`,
    ),
    ...ends,
  ];
}
