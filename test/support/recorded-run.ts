/**
 * One run of an example in k6 through `plimsoll run`, and what k6 itself says of it.
 *
 * k6 writes its samples to a file as well, so that `ingest` can take the same run to further stores.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunReport } from "../../src/cli/run-report.ts";
import { readRawRun, readSummary, type RawRun, type Summary } from "./k6-results.ts";
import { type PlimsollResult, runPlimsoll } from "./plimsoll.ts";

export interface RecordedRun {
  readonly testid: string;
  readonly end: PlimsollResult;
  readonly report: RunReport;
  /** k6's end-of-test summary. */
  readonly summary: Summary;
  readonly raw: RawRun;
  /** k6's JSON lines. */
  readonly file: string;
  readonly spoolDirectory: string;
}

export interface RunOptions {
  readonly testid: string;
  /** Of the store. */
  readonly writeUrl: string;
  /** For samples, reports and the spool. */
  readonly folder: string;
  /** Further arguments of `plimsoll`. */
  readonly args?: readonly string[];
}

export interface ScriptOptions extends RunOptions {
  /** The program. */
  readonly k6: string;
  /** A file in `examples/`. */
  readonly script: string;
  /** For the script: `BASE_URL` and the like. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws Error with all that was printed, where there is no report. */
export async function recordRun(options: ScriptOptions): Promise<RecordedRun> {
  const { testid, folder, script, k6, env, args = [] } = options;
  const file = join(folder, `${testid}.json`);
  const summaryFile = join(folder, `${testid}.summary.json`);
  const common = commonArguments(options);
  const end = await runPlimsoll(
    [
      "run",
      fileURLToPath(new URL(`../../examples/${script}`, import.meta.url)),
      ...["--k6", k6, "--out", `json=${file}`, "--summary-export", summaryFile],
      ...["--summary-trend-stats", "avg,min,med,max,p(90),p(95),p(99),count"],
      ...Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...common.args,
      ...args,
    ],
    { folder },
  );
  const report = await readReport(common.reportFile, end);
  const [summary, raw] = [await readSummary(summaryFile), await readRawRun(file)];
  return { testid, end, report, summary, raw, file, spoolDirectory: common.spoolDirectory };
}

export interface IngestedRun {
  readonly end: PlimsollResult;
  readonly report: RunReport;
  readonly spoolDirectory: string;
}

/** Takes a recorded run to one more store, under the id it has. */
export async function ingestRun(file: string, options: RunOptions): Promise<IngestedRun> {
  const common = commonArguments(options);
  const end = await runPlimsoll(["ingest", file, ...common.args, ...(options.args ?? [])], {
    folder: options.folder,
  });
  const { spoolDirectory } = common;
  return { end, report: await readReport(common.reportFile, end), spoolDirectory };
}

function commonArguments({ testid, writeUrl, folder }: RunOptions): {
  readonly args: readonly string[];
  readonly reportFile: string;
  readonly spoolDirectory: string;
} {
  // One of each per store.
  const name = `${testid}-${new URL(writeUrl).port}`;
  const reportFile = join(folder, `${name}.report.json`);
  const spoolDirectory = join(folder, `${name}.spool`);
  const outputs = ["--out", `prometheus-rw=${writeUrl}`, "--report", reportFile];
  return {
    args: [...outputs, "--testid", testid, "--spool-dir", spoolDirectory],
    reportFile,
    spoolDirectory,
  };
}

async function readReport(path: string, { exitCode, stderr }: PlimsollResult): Promise<RunReport> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new Error(`plimsoll ended with ${exitCode} and no report:\n${stderr}`, { cause });
  }
}
