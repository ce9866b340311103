/**
 * The tables of a run: what each endpoint, scenario, group and check did over the whole of it.
 */
import type { Value } from "../query/store.ts";
import type { RunTables, TrendRow } from "./chart-data.ts";
import { quantileOf } from "./distribution.ts";
import type { RunSpan } from "./run-span.ts";
import type { Observed, RunTotals } from "./run-totals.ts";

/** Of the ladder: those of the dashboard Compare, and one more for what is rarest. */
const percents = [50, 75, 90, 95, 99, 99.9, 99.99];

const failed = 'condition="nonzero"';

/** @throws StoreUnreachable */
export async function tablesOf(totals: RunTotals, { from, to }: RunSpan): Promise<RunTables> {
  const [endpoints, failures, iterations, iterationTimes, groups, checks, errors, all] =
    await Promise.all([
      totals.endpoints(),
      totals.counted("k6_http_req_failed_total", ["name", "condition"]),
      totals.counted("k6_iterations_total", ["scenario"]),
      totals.observed("k6_iteration_duration_seconds", { by: "scenario" }),
      totals.observed("k6_group_duration_seconds", { by: "group" }),
      totals.counted("k6_checks_total", ["check", "condition"]),
      totals.counted("k6_http_req_failed_total", ["name", "status", "error_code"], failed),
      totals.observed("k6_http_req_duration_seconds"),
    ]);
  const seconds = to - from;
  const row = (
    name: string,
    count: number,
    failedRatio: number | null,
    observed: Observed | undefined,
  ): TrendRow => {
    const quantile = (q: number): number | null =>
      observed ? quantileOf(q, observed.distribution) : null;
    return {
      name,
      count,
      perSecond: seconds > 0 ? count / seconds : count,
      failedRatio,
      avg: observed && observed.count > 0 ? observed.sum / observed.count : null,
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      totalSeconds: observed?.sum ?? null,
    };
  };
  const failedShare = sharesOf(failures, "name");
  return {
    endpoints: sorted(
      [...endpoints.counts].map(([name, count]) =>
        row(name, count, failedShare.get(name) ?? null, endpoints.durations.get(name)),
      ),
    ),
    scenarios: sorted(
      iterations.map(({ labels: { scenario = "" }, value }) =>
        row(scenario, value, null, iterationTimes.get(scenario)),
      ),
    ),
    groups: sorted(
      [...groups].map(([group, observed]) =>
        // k6 writes `::cart::pay` for the group `pay` in `cart`; the empty one is the script itself.
        row(group.replace(/^::/, ""), observed.count, null, observed),
      ),
    ),
    checks: checksOf(checks),
    errors: errors
      .filter(({ value }) => value > 0)
      .map(({ labels: { name = "", status = "", error_code: errorCode = "" }, value }) => ({
        name,
        status,
        errorCode,
        count: value,
      }))
      .toSorted((a, b) => b.count - a.count),
    ladder: percents.map((percent) => ({
      percent,
      seconds: quantileOf(percent / 100, all.get("")?.distribution ?? []),
    })),
  };
}

/** Of a rate, the share of what is not zero, by a label. */
function sharesOf(values: readonly Value[], by: string): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  const wholes = new Map<string, number>();
  for (const { labels, value } of values) {
    const group = labels[by] ?? "";
    wholes.set(group, (wholes.get(group) ?? 0) + value);
    if (labels["condition"] === "nonzero") parts.set(group, (parts.get(group) ?? 0) + value);
  }
  return new Map(
    [...wholes].map(([group, whole]) => [group, whole > 0 ? (parts.get(group) ?? 0) / whole : 0]),
  );
}

function checksOf(values: readonly Value[]): RunTables["checks"] {
  const checks = new Map<string, { name: string; passes: number; fails: number }>();
  for (const { labels, value } of values) {
    const name = labels["check"] ?? "";
    const check = checks.get(name) ?? { name, passes: 0, fails: 0 };
    if (labels["condition"] === "nonzero") check.passes += value;
    else check.fails += value;
    checks.set(name, check);
  }
  return [...checks.values()].toSorted((a, b) => b.fails - a.fails || compareNames(a, b));
}

/** What took most time first. */
function sorted(rows: readonly TrendRow[]): TrendRow[] {
  return rows.toSorted(
    (a, b) => (b.totalSeconds ?? 0) - (a.totalSeconds ?? 0) || compareNames(a, b),
  );
}

function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
