/**
 * An unmodified k6 that takes a server of ours for its cloud: nothing but the environment that `plimsoll env` gives it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProgram, type ProgramResult } from "./program.ts";
import { type ExportedMetric, K6Summary } from "./run-counts.ts";
import type { ToolName } from "./tools.ts";

/** Those that the matrix of docs/k6-cloud.md has. */
export const k6Versions: readonly { readonly tool: ToolName; readonly version: string }[] = [
  { tool: "k6-1", version: "1.8.1" },
  { tool: "k6-2-1", version: "2.1.0" },
  { tool: "k6-2", version: "2.2.0" },
];

/** The ways in which a script is run here and streams to the cloud. */
export const flows = {
  "k6 run --out cloud": ["run", "--out", "cloud"],
  "k6 cloud run --local-execution": ["cloud", "run", "--local-execution"],
  "k6 cloud run --local-execution --no-archive-upload": [
    "cloud",
    "run",
    "--local-execution",
    "--no-archive-upload",
  ],
} as const;
export type Flow = keyof typeof flows;

export const cloudScript: string = fileURLToPath(new URL("cloud-script.js", import.meta.url));

export interface CloudK6Options {
  readonly program: string;
  readonly flow: Flow;
  /** Working directory and home. Of this k6 alone: k6 keeps a configuration there. */
  readonly folder: string;
  /** What `plimsoll env` says. */
  readonly env: Readonly<Record<string, string>>;
  /** For the script, by `-e`: TEST, BASE_URL, ENDS, DURATION, VUS, PAUSE. */
  readonly scriptEnv: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Default: cloud-script.js. */
  readonly script?: string;
  /** What starts k6, e.g. `["strace", "…"]`. */
  readonly wrapper?: readonly string[];
}

export interface CloudK6 extends AsyncDisposable {
  readonly pid: number;
  /** What k6 prints behind `output: cloud`. Rejects where k6 ends without. */
  readonly pageUrl: Promise<string>;
  /** From the URL. */
  readonly runId: Promise<number>;
  readonly result: Promise<ProgramResult>;
  kill(signal: NodeJS.Signals): void;
  /** k6's own. Rejects where it has none. */
  summary(): Promise<K6Summary>;
  /** How many requests k6's own summary counts; undefined where it has none. */
  requests(): Promise<number | undefined>;
}

/** Killed, if it still runs, when disposed of. */
export function startCloudK6(options: CloudK6Options): CloudK6 {
  const { program, flow, folder, env, scriptEnv, args = [], wrapper = [] } = options;
  const { script = cloudScript } = options;
  const summaryFile = join(folder, "summary.json");
  const variables = Object.entries(scriptEnv).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`,
  ]);
  const k6 = startProgram(
    [
      ...wrapper,
      program,
      ...flows[flow],
      // k6 v1 listens at a fixed port unless told otherwise, and is not alone here.
      "--address",
      "127.0.0.1:0",
      "--summary-export",
      summaryFile,
      ...variables,
      ...args,
      script,
    ],
    { folder, env: { PATH: process.env["PATH"], HOME: folder, ...env } },
  );
  const pageUrl = k6.waitForOutput(/output: .*?cloud \(([^)]*)\)/).then(([, url = ""]) => url);
  // A test that does not ask for it is none that fails of it.
  pageUrl.catch(() => undefined);
  const runId = pageUrl.then((url) => Number(/\/runs\/(\d+)$/.exec(url)?.[1]));
  runId.catch(() => undefined);
  const summary = async (): Promise<K6Summary> => {
    const text = await readFile(summaryFile, "utf8");
    const { metrics }: { readonly metrics: Readonly<Record<string, ExportedMetric>> } =
      JSON.parse(text);
    return new K6Summary(metrics);
  };
  return {
    pid: k6.pid,
    pageUrl,
    runId,
    result: k6.result,
    kill: (signal) => k6.kill(signal),
    summary,
    async requests() {
      const counted = await summary().catch(() => undefined);
      return counted && (counted.counts["http_reqs"] ?? 0);
    },
    [Symbol.asyncDispose]: () => k6[Symbol.asyncDispose](),
  };
}
