/** A program for the time of one test: what it prints, how it ends; killed when disposed of. */
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface ProgramOptions {
  /** Working directory. */
  readonly folder: string;
  /** All of it: nothing comes from this process's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Leaves standard input to `RunningProgram.stdin`. Default false: it is empty. */
  readonly isStdinOpen?: boolean;
}

export interface ProgramResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly result: Promise<ProgramResult>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when standard error has it. Rejects with all of it when the process ends before. */
  waitFor(text: string | RegExp): Promise<void>;
  /** The same of standard output, with what matches. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
}

export function startProgram(
  [program = "", ...args]: readonly string[],
  { folder, env, isStdinOpen = false }: ProgramOptions,
): RunningProgram {
  const child = spawn(program, args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
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
  const result = once(child, "close").then((): ProgramResult => {
    ended = true;
    return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
  });
  const has = (text: string | RegExp) =>
    typeof text === "string" ? stderr.includes(text) : text.test(stderr);
  return {
    pid,
    stdin: child.stdin,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    result,
    kill: (signal) => child.kill(signal),
    async waitFor(text) {
      while (!has(text)) {
        if (ended) {
          throw new Error(`${program} ended without printing ${String(text)}:\n${stderr}`);
        }
        await Promise.race([once(child.stderr, "data"), result]);
      }
    },
    async waitForOutput(pattern) {
      for (;;) {
        const found = pattern.exec(stdout);
        if (found) return found;
        if (ended) throw new Error(`${program} ended, and ${pattern} is not in ${stdout}${stderr}`);
        await Promise.race([once(child.stdout, "data"), result]);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await result;
    },
  };
}
