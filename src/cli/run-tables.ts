/**
 * Runs for people: a list, and all that is known of one.
 */
import type { RunListItem, RunListView, RunView } from "../server/api/run-view.ts";
import { builtinMetrics } from "../sample/builtin-metrics.ts";
import { formatBytes, formatElapsed, formatSeconds, formatShare, formatTable } from "./format.ts";

/** Longer notes are cut in a list. */
const noteLength = 40;

export function toRunTable({ runs, total, next }: RunListView): string {
  if (runs.length === 0) return "no runs\n";
  const table = formatTable([
    [
      "ID",
      "TEST",
      "STATE",
      "THRESHOLDS",
      "CREATED",
      "TOOK",
      "REQUESTS",
      "FAILED",
      "P95",
      "GENERATOR",
      "BY",
      "NOTE",
    ],
    ...runs.map((run) => [
      String(run.id),
      run.test,
      run.state,
      thresholdsInWords(run.thresholds),
      toShortTime(run.created),
      took(run),
      ...headlineCells(run),
      run.generator,
      run.startedBy,
      oneLine(`${run.starred ? "★ " : ""}${run.note}`),
    ]),
  ]);
  return next === null ? table : `${table}${runs.length} of ${total}; the next: --after ${next}\n`;
}

/** @param course What `toCourseText` gives; empty where there is none. */
export function toRunText(run: RunView, course = ""): string {
  const facts: (readonly [string, string])[] = [
    ["run", `${run.id}, testid ${run.testid}, test ${run.test}`],
    ["state", run.result === null ? run.state : `${run.state}, ${run.result}`],
    ...run.history.map((entry): [string, string] => [
      "",
      [
        toShortTime(entry.at),
        entry.state,
        ...(entry.by === null ? [] : [`by ${entry.by}`]),
        ...(entry.reason === null ? [] : [`(${oneLine(entry.reason, 200)})`]),
      ].join(" "),
    ]),
    ["made by", [run.generator, `started by ${run.startedBy}`, `source ${run.source}`].join(", ")],
    ["took", took(run)],
    ...(run.starred ? [["starred", "yes"] as const] : []),
  ];
  const differing = run.thresholds.filter(
    ({ ok, generatorOk }) => ok !== null && generatorOk !== null && ok !== generatorOk,
  );
  if (differing.length > 0) {
    const what = differing.map(({ metric, expression }) => `${metric} ${expression}`).join(", ");
    facts.push(["note", `k6 and Plimsoll judge differently: ${what}; k6's verdict counts`]);
  }
  if (run.hasLateData) facts.push(["note", "samples came after the end, and are stored"]);
  if (run.maxVus !== null) facts.push(["VUs", `at most ${run.maxVus}`]);
  const tags = Object.entries(run.tags).map(([name, value]) => `${name}=${value}`);
  if (tags.length > 0) facts.push(["tags", tags.join(", ")]);
  if (run.note !== "") facts.push(["note", run.note]);
  for (const store of run.stores) facts.push(["samples", `${store}, label testid="${run.testid}"`]);
  if (run.archiveBytes > 0) facts.push(["archive", `${run.archiveBytes} bytes`]);
  if (run.logLines > 0) facts.push(["log", `${run.logLines} lines`]);
  return [
    ...facts.map(([name, text]) => `${name.padStart(10)}  ${text}\n`),
    thresholdTable(run),
    course,
    summaryTables(run),
  ].join("");
}

function thresholdTable({ thresholds }: RunView): string {
  if (thresholds.length === 0) return "";
  return `\n${formatTable([
    ["THRESHOLD", "", "OK", "VALUE", "K6 SAYS"],
    ...thresholds.map(({ metric, expression, ok, value, generatorOk }) => [
      metric,
      expression,
      verdict(ok),
      value === null ? "" : toComparedValue(metric, expression, value),
      verdict(generatorOk),
    ]),
  ])}`;
}

/** A table for the metrics of each kind: those that have the same stats. */
function summaryTables({ summary }: RunView): string {
  const kinds = new Map<string, (readonly string[])[]>();
  for (const metric of [...new Set(summary.map((row) => row.metric))].sort()) {
    const rows = summary.filter((row) => row.metric === metric);
    const heading = rows.map(({ stat }) => stat.toUpperCase());
    const key = heading.join(" ");
    const table = kinds.get(key) ?? [["METRIC", ...heading]];
    kinds.set(key, [...table, [metric, ...rows.map(toSummaryValue)]]);
  }
  return [...kinds.values()].map((rows) => `\n${formatTable(rows)}`).join("");
}

/** With its unit, where k6 itself defines the metric; of a script's own metrics nobody knows it. */
function toSummaryValue({ metric, stat, value }: RunView["summary"][number]): string {
  const builtin = builtinMetrics.get(metric);
  if (builtin?.contains === "time" && stat !== "count") return formatSeconds(value);
  if (builtin?.contains === "data") return formatBytes(value);
  return toNumber(value);
}

/** In k6's unit, as the expression is: for times milliseconds. */
function toComparedValue(metric: string, expression: string, value: number): string {
  const [name = ""] = metric.split("{");
  const isTime = builtinMetrics.get(name)?.contains === "time" && !expression.startsWith("count");
  return isTime ? `${toNumber(value)} ms` : toNumber(value);
}

function verdict(ok: boolean | null): string {
  return ok === null ? "-" : ok ? "yes" : "NO";
}

function thresholdsInWords({ passed, failed, open }: RunListItem["thresholds"]): string {
  if (failed > 0) return `${failed} of ${passed + failed + open} failed`;
  if (open > 0) return "-";
  return passed > 0 ? "passed" : "";
}

function headlineCells({ headline }: RunListItem): string[] {
  const cell = (value: number | null | undefined, format: (value: number) => string): string =>
    value === null || value === undefined ? "-" : format(value);
  return [
    cell(headline?.requests, String),
    cell(headline?.failedRatio, formatShare),
    cell(headline?.p95Seconds, formatSeconds),
  ];
}

function took({ started, ended, lastData }: RunListItem | RunView): string {
  const until = ended ?? lastData;
  if (started === null || until === null) return "-";
  return formatElapsed(Date.parse(until) - Date.parse(started));
}

function toShortTime(time: string): string {
  return time.replace("T", " ").replace(/\.\d+Z$/, "Z");
}

function toNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function oneLine(text: string, length = noteLength): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
