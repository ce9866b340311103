/**
 * Splits the arguments of `plimsoll run` into ours and k6's.
 *
 * A flag of ours goes to commander, which reads its value. A flag of `k6 run` that is not one of ours goes to k6
 * unchanged, in its order, and so does everything after `--`. What is neither is refused.
 */
import type { Command } from "commander";
import { suggestion } from "../config/suggest.ts";
import { UsageError } from "../errors.ts";
import { k6Flags, parseK6Arguments } from "../generate/k6-flags.ts";

export interface RunArguments {
  /** For commander: our flags and the operands. */
  readonly own: readonly string[];
  /** For k6. */
  readonly k6: readonly string[];
}

const helpFlags = new Set(["--help", "-h"]);

/** k6 knows `--help` too, but whoever asks `plimsoll run` for help wants ours. */
const k6Names = new Set(
  k6Flags
    .filter(({ name }) => name !== "help")
    .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
);

/** @throws UsageError for a flag that neither knows */
export function splitRunArguments(command: Command, args: readonly string[]): RunArguments {
  const own: string[] = [];
  const k6: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    const next = args[at + 1];
    if (argument === "--") {
      k6.push(...args.slice(at + 1));
      break;
    }
    const name = argument.startsWith("--") ? (argument.split("=")[0] ?? "") : argument.slice(0, 2);
    const option = command.options.find(({ long, short }) => long === name || short === name);
    if (option) {
      own.push(argument);
      const hasValue = argument.startsWith("--") ? argument.includes("=") : argument.length > 2;
      if (option.required && !hasValue && next !== undefined) {
        own.push(next);
        at++;
      }
    } else if (argument.startsWith("-") && k6Names.has(name)) {
      const [flag] = parseK6Arguments(next === undefined ? [argument] : [argument, next]);
      const raw = flag?.raw ?? [argument];
      k6.push(...raw);
      at += raw.length - 1;
    } else if (/^-[^-]|^--./.test(argument) && !helpFlags.has(name)) {
      const known = [...command.options.flatMap(({ long }) => long ?? []), ...k6Names];
      throw new UsageError(
        `unknown option ${JSON.stringify(name)}${suggestion(name, known)}: ` +
          'neither "plimsoll run" nor "k6 run" has it',
      );
    } else {
      own.push(argument);
    }
  }
  return { own, k6 };
}
