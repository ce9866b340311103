/**
 * What a run says of itself at its end: a few lines for a person, one JSON object for a program (`--report`).
 */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError, InputError, systemErrorCode, messageOf } from "../errors.ts";
import type { PrometheusOutput } from "../output/prometheus-output.ts";
import {
  isDelivered,
  relabelledAway,
  type RunAccount,
  toRunAccount,
} from "../output/run-account.ts";
import { reconcile, type Reconciliation } from "../generate/reconcile.ts";
import type { GeneratorHealth } from "../runs/generator-health.ts";
import type { TextSink } from "./command-io.ts";
import { formatBytes, formatCount, formatShare } from "./format.ts";
import { unreadable } from "./spool-report.ts";
import type { LoadEnd } from "./load.ts";

/** docs/cli.md describes the fields. */
export interface RunReport extends RunAccount {
  /** What of its cores the generator used, Plimsoll included. Absent where the load was made elsewhere. */
  readonly generator?: {
    readonly cpus: number;
    /** In the busiest five seconds, from 0 to 1; `null` for a shorter run. */
    readonly maxCpuRatio: number | null;
    readonly saturatedSeconds: number;
  };
  /** Our counts against the generator's own. */
  readonly reconciliation?: Reconciliation;
  /** The generator's exit code, where it has one. */
  readonly generatorExitCode?: number;
}

/** How the load ended; what only a generator can tell is optional. */
export type RunReportEnd = Pick<RunAccount, "state" | "thresholds"> &
  Pick<Partial<LoadEnd>, "exitCode" | "counts">;

export function toRunReport(
  output: PrometheusOutput,
  { state, thresholds, exitCode, counts }: RunReportEnd,
  health?: GeneratorHealth,
): RunReport {
  const reconciliation = counts && reconcile(counts, output.totals());
  return {
    ...toRunAccount(output, {
      state,
      thresholds: thresholds.map(({ metric, threshold, ok }) => ({ metric, threshold, ok })),
    }),
    ...(reconciliation && { reconciliation }),
    ...(exitCode !== undefined && { generatorExitCode: exitCode }),
    ...(health && {
      generator: {
        cpus: health.cpus,
        maxCpuRatio: health.maxCpuRatio ?? null,
        saturatedSeconds: health.saturatedMs / 1_000,
      },
    }),
  };
}

/**
 * Whether every sample that was read is in the store, and equals what the generator counted. The generator has
 * also counted what the user's relabel rules dropped, so its counts then tell nothing.
 */
export function isComplete(report: RunReport): boolean {
  return (
    isDelivered(report) &&
    (relabelledAway(report.samples) > 0 || (report.reconciliation?.differences.length ?? 0) === 0)
  );
}

function toReportText(report: RunReport): string {
  const { samples, points, series } = report;
  const failed = report.thresholds.filter(({ ok }) => !ok);
  const thresholds =
    report.thresholds.length === 0
      ? ""
      : failed.length === 0
        ? `, ${report.thresholds.length} thresholds passed`
        : `, ${failed.length} of ${report.thresholds.length} thresholds failed`;
  const recovered =
    points.recovered > 0 ? ` + ${formatCount(points.recovered)} found in the spool` : "";
  const bytesPerPoint = points.encoded > 0 ? report.encodedBytes / points.encoded : 0;
  const lines: (readonly [string, string])[] = [
    ["run", `${report.testid} (test ${report.test}): ${report.state}${thresholds}`],
    [
      "samples",
      `${formatCount(samples.read)} read = ${formatCount(samples.aggregated)} aggregated + ` +
        `${formatCount(samples.read - samples.aggregated)} dropped${reasons(samples.dropped)}`,
    ],
    [
      "points",
      `${formatCount(points.encoded)} encoded${recovered} = ${formatCount(points.delivered)} delivered + ` +
        `${formatCount(points.pending)} pending + ` +
        `${formatCount(sum(points.rejected))} rejected${reasons(points.rejected)}`,
    ],
    [
      "sent",
      `${formatCount(report.requests)} requests, ${formatBytes(report.bytesSent)} ` +
        `(${bytesPerPoint.toFixed(1)} bytes per point) to ${report.url}, ` +
        `remote write ${report.protocol}.0, trends ${report.trends}`,
    ],
  ];
  if (report.reconciliation) lines.push(["reconciled", reconciled(report.reconciliation)]);
  if (report.corruptRequests > 0) {
    lines.push(["lost", `${formatCount(report.corruptRequests)} ${unreadable}`]);
  }
  const remarks = [
    [series.overflowed, 'series beyond --max-series went to name="(other)"'],
    [
      series.collided,
      "series were left out: after naming and relabelling they were some other series",
    ],
    [series.labelCollisions, "tags were left out: another label has the same name"],
    [series.excessLabels, "tags were left out: a series has 30 labels at most"],
    [samples.late, "samples came after their interval was closed, and count in a later one"],
    [series.truncatedLabels, "label names or values were cut to their limit"],
    [
      series.replacedRunTags,
      "series had a tag testid or test of their own, which the run's replaced",
    ],
  ] as const;
  for (const [count, text] of remarks) {
    if (count > 0) lines.push(["note", `${formatCount(count)} ${text}`]);
  }
  const { generator } = report;
  if (generator && generator.saturatedSeconds > 0) {
    lines.push([
      "note",
      `the generator was saturated for ${Math.round(generator.saturatedSeconds)} s: it used up to ` +
        `${formatShare(generator.maxCpuRatio ?? 0)} of ${generator.cpus} ${generator.cpus === 1 ? "core" : "cores"}, so latencies hold its own queue; ` +
        "use a stronger machine, several of them, or less load",
    ]);
  }
  if (points.pending > 0) {
    lines.push([
      "note",
      `what is pending stays in the spool, ${report.spoolDirectory}; ` +
        `"plimsoll replay ${report.testid}" with these options sends it, as does a run with --testid ${report.testid}`,
    ]);
  }
  return lines.map(([name, text]) => `${name.padStart(10)}  ${text}\n`).join("");
}

function reconciled({ compared, differences }: Reconciliation): string {
  if (compared === 0) return "the generator gave no counts to compare with";
  if (differences.length === 0) return `${compared} counts equal the generator's own`;
  return differences
    .map(
      ({ metric, stat, generator, plimsoll }) =>
        `${metric} ${stat}: the generator counted ${generator}, plimsoll ${plimsoll}`,
    )
    .join("; ");
}

function reasons(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return "";
  return ` (${entries.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ")})`;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/**
 * Looks whether the report can be written, before there is something to report.
 *
 * @throws ConfigError if there is no such folder, or it or the file cannot be written to
 */
export async function expectReportPath(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access((await isFile(path)) ? path : dirname(path), constants.W_OK);
  } catch (cause) {
    const message = `${JSON.stringify(path)} cannot be written: ${messageOf(cause)}`;
    throw new ConfigError([{ option: "--report", message, source: "flags" }], { cause });
  }
}

/** False for what is not there; anything but a folder will do. */
async function isFile(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error("it is a directory");
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Writes the text, which quiet runs show only if something is missing, and the file that was asked for.
 *
 * @throws InputError if the file cannot be written
 */
export async function showReport(
  report: RunReport,
  stderr: TextSink,
  { quiet, report: path }: { readonly quiet?: boolean; readonly report?: string },
): Promise<void> {
  if (quiet !== true || !isComplete(report)) stderr.write(toReportText(report));
  if (path === undefined) return;
  try {
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (cause) {
    const message = `the report ${JSON.stringify(path)} cannot be written: ${messageOf(cause)}`;
    throw new InputError(message, { cause });
  }
}
