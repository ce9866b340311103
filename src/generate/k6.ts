/**
 * Finds k6 and runs it as a child process.
 *
 * In:  a script, the user's own `k6 run` flags, where its samples go (a FIFO or a receiver, made and read by the caller).
 * Out: the process: its log lines, how it ended, its summary.
 *
 * The child leads a process group of its own, so that Ctrl-C at a terminal reaches only us, and k6 gets
 * exactly the signals that `stop` sends: it would take a second SIGINT as "leave at once".
 *
 * Source: k6 `internal/cmd/outputs.go` (any `--out` replaces `K6_OUT`), `errext/exitcodes/codes.go`.
 */
import { type ChildProcess, execFile, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { kill } from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { GeneratorError, messageOf, systemErrorCode } from "../errors.ts";
import { parseK6Arguments } from "./k6-flags.ts";
import { bucketsEnvironment, type K6Samples } from "./k6-samples.ts";
import { readK6Summary, type K6Summary } from "./k6-summary.ts";

/** Longer than any k6 needs to print its version, even when it is read from a cold disk. */
const versionTimeoutMs = 20_000;

type Environment = Readonly<Record<string, string | undefined>>;

export interface K6 {
  readonly path: string;
  /** Without a leading `v`, e.g. `2.2.0`. */
  readonly version: string;
}

/**
 * Finds a k6 that runs. `path` is a file, or a name to look for on `PATH`; default: `k6`.
 *
 * @throws GeneratorError that says what to install or set
 */
export async function findK6({
  path = "k6",
  env,
}: {
  readonly path?: string | undefined;
  readonly env: Environment;
}): Promise<K6> {
  const found = path.includes("/") ? path : await findOnPath(path, env);
  if (found === undefined) {
    throw new GeneratorError(
      `no ${JSON.stringify(path)} on PATH to run the script with; install k6 ` +
        "(https://grafana.com/docs/k6/latest/set-up/install-k6/), or name its file with --k6 PATH; " +
        "a URL in place of the script needs no k6",
    );
  }
  // Some errors of a spawn are thrown and others are told: ENOTDIR and ELOOP, where ENOENT is not.
  const ask = async () =>
    await promisify(execFile)(found, ["version"], { timeout: versionTimeoutMs, env: { ...env } });
  const output = await ask().catch((cause: unknown) => {
    throw new GeneratorError(`k6 at ${JSON.stringify(found)} cannot be run: ${messageOf(cause)}`, {
      cause,
    });
  });
  const [, version] = /\bv(\d+\.\d+\.\d+\S*)/.exec(output.stdout) ?? [];
  if (version === undefined) {
    throw new GeneratorError(
      `${JSON.stringify(found)} is not k6: "version" printed ${JSON.stringify(output.stdout.slice(0, 100))}, ` +
        'expected a line such as "k6 v2.2.0"',
    );
  }
  return { path: found, version };
}

async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, name);
    if (folder !== "" && (await isExecutableFile(file))) return file;
  }
  return undefined;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Not there, or not for us: either way not the one.
    return false;
  }
}

export interface K6RunOptions {
  readonly k6: K6;
  /** A script, an archive, or `-` for standard input. */
  readonly script: string;
  /** The user's own flags of `k6 run`, in their order. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly samples: K6Samples;
  /** A file that does not exist, for k6's summary; unused where the user exports the summary themselves. */
  readonly summaryPath: string;
  /** `inherit`: k6's summary is printed on our standard output; `pipe`: see `K6Process.stdout`. */
  readonly stdout: "inherit" | "pipe";
  /** Called with each line that k6 logs (its standard error), without the line's end. */
  readonly onLogLine: (line: string) => void;
}

export interface K6Exit {
  /** k6's exit code, null if a signal ended it. 99: thresholds failed, 105: stopped by a signal. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface K6Process {
  readonly pid: number;
  /** With `stdout: "pipe"`: k6's standard output, to be read to its end. Else null. */
  readonly stdout: Readable | null;
  /** Resolves when k6 is gone and its last log line was handed over. */
  readonly exited: Promise<K6Exit>;
  /** First call: k6 ends its run in order (SIGINT). Second call: k6 and its children are killed. */
  stop(): void;
  /**
   * After `exited`: what k6 summed up. Undefined where it wrote no file: killed, failed before the run,
   * summary disabled, or exported to `stdout` by the user.
   *
   * @throws InputError if the file is not a k6 summary
   */
  summary(): Promise<K6Summary | undefined>;
}

/**
 * Looks whether there is a script, which need not be one that k6 understands. `-` is standard input.
 *
 * @throws GeneratorError if it cannot be read
 */
export async function expectScript(script: string): Promise<void> {
  if (script === "-") return;
  try {
    await access(script, constants.R_OK);
    if ((await stat(script)).isDirectory()) throw new Error("it is a directory");
  } catch (cause) {
    const { message } = cause as Error;
    throw new GeneratorError(`script ${JSON.stringify(script)} cannot be read: ${message}`, {
      cause,
    });
  }
}

/**
 * Starts `k6 run`.
 *
 * @throws GeneratorError if the script does not exist or k6 does not start
 */
export async function startK6(options: K6RunOptions): Promise<K6Process> {
  const { k6, script, args, env, samples, stdout, onLogLine } = options;
  await expectScript(script);
  const ownExport = summaryExport(args, env);
  const summaryPath = ownExport ?? options.summaryPath;
  const summaryBefore = await modifiedMs(summaryPath);
  const { child, closed } = await spawnChild(k6, k6Arguments(options), {
    env: samples.kind === "buckets" ? bucketsEnvironment(env, samples.cloudUrl) : { ...env },
    stdio: [script === "-" ? "inherit" : "ignore", stdout, "pipe"],
    detached: true,
  });
  const { pid, stderr } = child;
  if (pid === undefined || stderr === null) throw new Error("a spawned k6 has a pid and a stderr");
  createInterface({ input: stderr }).on("line", onLogLine);

  let running = true;
  let stops = 0;
  const exited = closed.then((): K6Exit => {
    running = false;
    return { code: child.exitCode, signal: child.signalCode };
  });
  return {
    pid,
    stdout: child.stdout,
    exited,
    stop() {
      if (!running) return;
      stops += 1;
      if (stops === 1) child.kill("SIGINT");
      else killGroup(pid);
    },
    async summary() {
      // A file of the user's may be there from an earlier run.
      const modified = await modifiedMs(summaryPath);
      return modified === summaryBefore ? undefined : await readK6Summary(summaryPath);
    },
  };
}

interface SpawnedChild {
  readonly child: ChildProcess;
  readonly closed: Promise<unknown>;
}

async function spawnChild(
  { path }: K6,
  args: readonly string[],
  options: SpawnOptions,
): Promise<SpawnedChild> {
  try {
    const child = spawn(path, args, options);
    const closed = once(child, "close");
    closed.catch(() => {
      // Where it does not start: the same error once more.
    });
    await once(child, "spawn");
    return { child, closed };
  } catch (cause) {
    throw new GeneratorError(
      `k6 at ${JSON.stringify(path)} cannot be started: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * `--quiet` keeps k6's progress off our terminal; the summary is still printed. Our `--out` would silence
 * `K6_OUT`, so its outputs are added as flags, unless the user's own flags replace it anyway.
 */
export function k6Arguments({
  script,
  args,
  env,
  samples,
  summaryPath,
}: Pick<K6RunOptions, "script" | "args" | "env" | "samples" | "summaryPath">): string[] {
  const outputs = [samples.kind === "lines" ? `json=${samples.fifoPath}` : "cloud"];
  const address = samples.kind === "buckets" ? samples.address : undefined;
  if (!parseK6Arguments(args).some(({ name }) => name === "out")) {
    outputs.push(...(env["K6_OUT"] ?? "").split(",").filter((output) => output !== ""));
  }
  return [
    "run",
    "--quiet",
    ...outputs.flatMap((output) => ["--out", output]),
    ...(address === undefined ? [] : ["--address", address]),
    ...(summaryExport(args, env) === undefined ? ["--summary-export", summaryPath] : []),
    ...args,
    script,
  ];
}

function killGroup(pid: number): void {
  try {
    kill(-pid, "SIGKILL");
  } catch (error) {
    // It is gone, and its end has not been told yet.
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

/** Where the user wants k6's summary, if they do. k6 takes the last flag, else the variable. */
function summaryExport(args: readonly string[], env: Environment): string | undefined {
  const flag = parseK6Arguments(args).findLast(({ name }) => name === "summary-export");
  return flag?.value || env["K6_SUMMARY_EXPORT"] || undefined;
}

/** Undefined where there is no such file. */
async function modifiedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    // A file that cannot be looked at is as good as none; `readK6Summary` reports one that is there.
    return undefined;
  }
}
