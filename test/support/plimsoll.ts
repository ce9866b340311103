/**
 * The built `plimsoll` as its users run it: a process with a home folder of its own, and no option from outside.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface PlimsollOptions {
  /** Working directory and home: where plimsoll.yaml and the spool are. */
  readonly folder: string;
  /** Beside `PATH` and `HOME`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Leaves standard input to `PlimsollProcess.stdin`. Default false: it is empty. */
  readonly isStdinOpen?: boolean;
  /** A program and arguments that start what follows, e.g. `["setpriv", "…"]`. */
  readonly wrapper?: readonly string[];
}

export interface PlimsollResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PlimsollProcess extends AsyncDisposable {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream;
  /** What it has printed so far. */
  readonly stderr: string;
  readonly result: Promise<PlimsollResult>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when standard error has it. Rejects with all of it when the process ends before. */
  waitFor(text: string | RegExp): Promise<void>;
}

/** The words of a command line without quotes. */
export function words(line: string): string[] {
  return line.split(" ");
}

/** The program and the arguments that start the built `plimsoll`. */
export function plimsollCommand(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, main, ...args];
}

export async function runPlimsoll(
  args: readonly string[],
  options: PlimsollOptions,
): Promise<PlimsollResult> {
  await using started = startPlimsoll(args, options);
  return await started.result;
}

/** Killed, if it still runs, when disposed of. */
export function startPlimsoll(
  args: readonly string[],
  { folder, env = {}, isStdinOpen = false, wrapper = [] }: PlimsollOptions,
): PlimsollProcess {
  const [program = "", ...rest] = [...wrapper, ...plimsollCommand(args)];
  const child = spawn(program, rest, {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, K6_NO_USAGE_REPORT: "true", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  let stdout = "";
  let stderr = "";
  let ended = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // It need not read all that it is given.
  child.stdin.on("error", () => undefined);
  if (!isStdinOpen) child.stdin.end();
  const result = once(child, "close").then((): PlimsollResult => {
    ended = true;
    return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
  });
  const has = (text: string | RegExp) =>
    typeof text === "string" ? stderr.includes(text) : text.test(stderr);
  return {
    pid,
    stdin: child.stdin,
    get stderr() {
      return stderr;
    },
    result,
    kill: (signal) => child.kill(signal),
    async waitFor(text) {
      while (!has(text)) {
        if (ended) throw new Error(`plimsoll ended without printing ${String(text)}:\n${stderr}`);
        await Promise.race([once(child.stderr, "data"), result]);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await result;
    },
  };
}
