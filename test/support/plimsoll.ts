/**
 * The built `plimsoll` as its users run it: a process with a home folder of its own, and no option from outside.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  startProgram,
  type ProgramOptions,
  type ProgramResult,
  type RunningProgram,
} from "./program.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface PlimsollOptions extends Pick<ProgramOptions, "isStdinOpen"> {
  /** Working directory and home: where plimsoll.yaml and the spool are. */
  readonly folder: string;
  /** Beside `PATH` and `HOME`. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program and arguments that start what follows, e.g. `["setpriv", "…"]`. */
  readonly wrapper?: readonly string[];
}

export type PlimsollResult = ProgramResult;
export type PlimsollProcess = RunningProgram;

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
  return startProgram([...wrapper, ...plimsollCommand(args)], {
    folder,
    env: { PATH: process.env["PATH"], HOME: folder, K6_NO_USAGE_REPORT: "true", ...env },
    isStdinOpen,
  });
}
