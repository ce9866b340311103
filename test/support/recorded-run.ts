/**
 * One run of an example in k6 through `plimsoll run`, and what k6 itself says of it.
 *
 * k6 writes its samples to a file as well, so that `ingest` can take the same run to further stores.
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunReport } from "../../src/cli/run-report.ts";
import { K6Results } from "./k6-results.ts";
import { type PlimsollResult, runPlimsoll } from "./plimsoll.ts";
import { readReport } from "./run-report.ts";

/** What `plimsoll` did with a run. */
export interface SentRun {
  readonly result: PlimsollResult;
  readonly report: RunReport;
  /** Of this run alone. */
  readonly spoolDirectory: string;
}

export interface RecordedRun extends SentRun {
  readonly k6: K6Results;
  /** k6's JSON lines. */
  readonly file: string;
}

export interface SendOptions {
  readonly testid: string;
  readonly test: string;
  /** Of the store. */
  readonly writeUrl: string;
  /** For samples, reports and the spool. */
  readonly folder: string;
  /** Of `--tag`. Default: none. With an `instance_id` for each of several generators of one run. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface RecordOptions extends SendOptions {
  /** The program. */
  readonly k6: string;
  /** A file in `examples/`, or anywhere. */
  readonly script: string;
  /** For the script: `BASE_URL` and the like. */
  readonly env: Readonly<Record<string, string>>;
  /** Of `--k6-samples`. Default `lines`, which are exact in everything. */
  readonly samples?: "auto" | "buckets" | "lines";
}

/** @throws Error with all that was printed, where there is no report. */
export async function recordRun(options: RecordOptions): Promise<RecordedRun> {
  const { testid, folder, script, k6, env, samples = "lines" } = options;
  const file = join(folder, `${testid}.json`);
  const summaryFile = join(folder, `${testid}.summary.json`);
  const sent = await send(options, [
    "run",
    resolve(fileURLToPath(new URL("../../examples/", import.meta.url)), script),
    `--k6=${k6}`,
    `--k6-samples=${samples}`,
    // k6 v1 listens at a fixed port unless told otherwise, and is not alone here. Buckets ask k6 at a port of ours.
    ...(samples === "lines" ? ["--address=127.0.0.1:0"] : []),
    `--out=json=${file}`,
    `--summary-export=${summaryFile}`,
    "--summary-trend-stats=p(99)",
    ...Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
  ]);
  return { ...sent, file, k6: await K6Results.read(file, summaryFile) };
}

/** Takes a recorded run to one more store. */
export async function ingestRun(file: string, options: SendOptions): Promise<SentRun> {
  return await send(options, ["ingest", file]);
}

async function send(
  { testid, test, writeUrl, folder, tags = {} }: SendOptions,
  args: readonly string[],
): Promise<SentRun> {
  const name = [testid, ...Object.values(tags), new URL(writeUrl).port].join("-");
  const reportFile = join(folder, `${name}.report.json`);
  const spoolDirectory = join(folder, `${name}.spool`);
  const identity = [
    "--testid",
    testid,
    "--test",
    test,
    ...Object.entries(tags).flatMap(([tag, value]) => ["--tag", `${tag}=${value}`]),
  ];
  const files = ["--report", reportFile, "--spool-dir", spoolDirectory];
  const result = await runPlimsoll(
    [...args, "--out", `prometheus-rw=${writeUrl}`, ...identity, ...files],
    { folder },
  );
  try {
    return { result, report: await readReport(reportFile), spoolDirectory };
  } catch (cause) {
    const { exitCode, stderr } = result;
    throw new Error(`plimsoll ended with ${exitCode} and no report:\n${stderr}`, { cause });
  }
}
