/**
 * Whether two runs had the same load. If they had not, a difference in latency says nothing about the system.
 *
 * What was asked for is what counts, and not what came of it: a slower system is asked less often by as many VUs, needs more
 * VUs for as many iterations a second, and longer for as many iterations. So the executors decide what is held against what.
 *
 * Source: k6, "Executors": open model (arrival rate) and closed model (VUs, iterations).
 */
import type { Json } from "../runs/run-record.ts";
import type { LoadDifference } from "./comparison.ts";
import { differenceOf } from "./difference.ts";

/** Of the whole run; null where it is not known. */
export interface RunLoad {
  readonly peakVus: number | null;
  readonly requests: number | null;
  readonly iterations: number | null;
  /** That an arrival rate was due and no VU was free for. */
  readonly dropped: number | null;
  readonly seconds: number | null;
}

/** What the script fixes: the rate at which iterations begin, the number of VUs, or how many iterations there are. */
export type LoadModel = "rate" | "vus" | "iterations" | "unknown";

const droppedShare = "dropped share of iterations";
/** Above it the dashboards call two loads different, too. */
const alikeRatio = 0.05;

const modelOfExecutor: { readonly [executor: string]: LoadModel | undefined } = {
  "constant-arrival-rate": "rate",
  "ramping-arrival-rate": "rate",
  "constant-vus": "vus",
  "ramping-vus": "vus",
  "shared-iterations": "iterations",
  "per-vu-iterations": "iterations",
};

/** Of k6's derived options. `unknown` also where scenarios of one script are of several kinds. */
export function loadModelOf(options: Json): LoadModel {
  const scenarios = Object.values(fieldsOf(fieldsOf(options)["scenarios"]));
  const models = new Set(
    scenarios.map((scenario) => {
      const { executor } = fieldsOf(scenario);
      return typeof executor === "string" ? modelOfExecutor[executor] : undefined;
    }),
  );
  const [model = "unknown"] = models;
  return models.size === 1 ? model : "unknown";
}

function fieldsOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : {};
}

/** Which rows of `loadDifferences` are what was asked for. */
const askedFor: Readonly<Record<LoadModel, readonly string[]>> = {
  rate: ["iterations due per second", "duration"],
  vus: ["peak VUs", "duration"],
  iterations: ["peak VUs", "iterations"],
  unknown: ["peak VUs", "requests per second", "iterations due per second", "duration"],
};

export function loadDifferences(base: RunLoad, run: RunLoad): LoadDifference[] {
  const row = (
    name: string,
    unit: LoadDifference["unit"],
    of: (load: RunLoad) => number | null,
  ): LoadDifference => ({ name, unit, difference: differenceOf(of(base), of(run)) });
  return [
    row("peak VUs", "count", ({ peakVus }) => peakVus),
    row("requests", "count", ({ requests }) => requests),
    row("requests per second", "per_second", ({ requests, seconds }) => per(requests, seconds)),
    row("iterations", "count", ({ iterations }) => iterations),
    row("iterations due per second", "per_second", (load) => per(dueOf(load), load.seconds)),
    row(droppedShare, "ratio", (load) => per(load.dropped ?? 0, dueOf(load))),
    row("duration", "seconds", ({ seconds }) => seconds),
  ];
}

/** In words, of every reason; none where the loads were alike. */
export function loadReasons(
  rows: readonly LoadDifference[],
  models: { readonly base: LoadModel; readonly run: LoadModel },
): string[] {
  const isOneModel = models.base === models.run;
  const decisive = askedFor[isOneModel ? models.run : "unknown"];
  const reasons = rows.filter(({ name }) => decisive.includes(name)).flatMap(reasonOf);
  const isKnown = models.base !== "unknown" && models.run !== "unknown";
  if (!isOneModel && isKnown) {
    reasons.unshift(`the base fixes ${inWords[models.base]}, the run ${inWords[models.run]}`);
  }
  const dropped = rows.find(({ name }) => name === droppedShare)?.difference;
  // Of what was due: a share of a share would make one iteration in a million look like a lot.
  if (Math.abs((dropped?.run ?? 0) - (dropped?.base ?? 0)) > alikeRatio) {
    reasons.push(
      `the base dropped ${share(dropped?.base ?? 0)} of its iterations, the run ${share(dropped?.run ?? 0)}`,
    );
  }
  return reasons.map((reason, at) => (at === 0 ? `load differed: ${reason}` : reason));
}

function reasonOf({ name, difference: { base, run, ratio } }: LoadDifference): string[] {
  if (base === null && run === null) return [];
  if (base === null || run === null) return [`${name} known of one run only`];
  if (ratio === null) return [`${name}: none in the base`];
  return Math.abs(ratio) > alikeRatio ? [`${name} ${inPercent(ratio)}`] : [];
}

const inWords: Readonly<Record<LoadModel, string>> = {
  rate: "a rate of iterations",
  vus: "the number of VUs",
  iterations: "the number of iterations",
  unknown: "nothing",
};

function dueOf({ iterations, dropped }: RunLoad): number | null {
  return iterations === null ? null : iterations + (dropped ?? 0);
}

function per(value: number | null, by: number | null): number | null {
  return value === null || by === null || by === 0 ? null : value / by;
}

function inPercent(ratio: number): string {
  return `${ratio > 0 ? "+" : "−"}${Math.abs(ratio * 100).toFixed(1)} %`;
}

function share(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
