/**
 * Two runs beside each other: pure, of what the records and the store have of them.
 */
import type { ChartSet, RunTables, TrendRow } from "../charts/chart-data.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { isOver } from "../runs/transitions.ts";
import type { Comparison, Difference, EndpointDifference } from "./comparison.ts";
import { differenceOf } from "./difference.ts";
import { loadDifferences, loadModelOf, loadReasons, type RunLoad } from "./load.ts";

export interface ComparedRun {
  readonly record: Pick<
    RunRecord,
    "id" | "state" | "generator" | "options" | "startedMs" | "endedMs" | "lastDataMs"
  >;
  /** The set `run`, of the whole run. Both runs have the same step. */
  readonly charts: ChartSet;
  readonly tables: RunTables;
}

export function compareRuns(base: ComparedRun, run: ComparedRun): Comparison {
  const load = loadDifferences(loadOf(base), loadOf(run));
  const reasons = [
    ...[base, run].flatMap(({ record }) =>
      isOver(record.state) ? [] : [`run ${record.id} is ${record.state}`],
    ),
    ...(base.record.generator === run.record.generator
      ? []
      : [`other generators: ${base.record.generator} and ${run.record.generator}`]),
    ...loadReasons(load, {
      base: loadModelOf(base.record.options),
      run: loadModelOf(run.record.options),
    }),
  ];
  return {
    base: { id: base.record.id, charts: sinceStart(base.charts) },
    run: { id: run.record.id, charts: sinceStart(run.charts) },
    comparable: { ok: reasons.length === 0, reasons },
    load,
    ladder: base.tables.ladder.map(({ percent, seconds }) => ({
      percent,
      difference: differenceOf(seconds, ofPercent(run.tables, percent)),
    })),
    endpoints: compareEndpoints(base.tables.endpoints, run.tables.endpoints),
  };
}

/** Both grids begin with the step in which their run does, so they are within a step of each other. */
function sinceStart(set: ChartSet): ChartSet {
  const [first = 0] = set.times;
  return { ...set, times: set.times.map((time) => time - first + set.step) };
}

function ofPercent({ ladder }: RunTables, percent: number): number | null {
  return ladder.find((rung) => rung.percent === percent)?.seconds ?? null;
}

function compareEndpoints(
  base: readonly TrendRow[],
  run: readonly TrendRow[],
): EndpointDifference[] {
  const names = new Set([...run, ...base].map(({ name }) => name));
  const [baseRows, runRows] = [base, run].map(
    (rows) => new Map(rows.map((row) => [row.name, row])),
  );
  return [...names].map((name) => {
    const of = (key: Exclude<keyof EndpointDifference, "name">): Difference =>
      differenceOf(baseRows?.get(name)?.[key] ?? null, runRows?.get(name)?.[key] ?? null);
    return {
      name,
      count: of("count"),
      perSecond: of("perSecond"),
      failedRatio: of("failedRatio"),
      p50: of("p50"),
      p95: of("p95"),
      p99: of("p99"),
    };
  });
}

function loadOf({ record, charts }: ComparedRun): RunLoad {
  const valuesOf = (id: string, name: string): readonly number[] =>
    charts.charts
      .find((chart) => chart.id === id)
      ?.series.find((series) => series.name === name)
      ?.values.filter((value) => value !== null) ?? [];
  const total = (id: string, name: string): number | null => {
    const values = valuesOf(id, name);
    // Of counters: a whole number, but for what is lost in dividing by the step and multiplying again.
    return values.length === 0
      ? null
      : Math.round(values.reduce((sum, value) => sum + value, 0) * charts.step);
  };
  const { state, startedMs, endedMs, lastDataMs } = record;
  // A run that is timed out was over when it fell silent.
  const untilMs = state === "timed_out" ? lastDataMs : (endedMs ?? lastDataMs);
  const vus = valuesOf("vus", "running");
  return {
    peakVus: vus.length === 0 ? null : Math.max(...vus),
    requests: total("requests", "done"),
    iterations: total("iterations", "done"),
    dropped: total("iterations", "dropped"),
    seconds:
      startedMs === undefined || untilMs === undefined ? null : (untilMs - startedMs) / 1_000,
  };
}
