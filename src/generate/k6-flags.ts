/**
 * The flags of `k6 run`, and a parser that splits a command line by them.
 *
 * In:  arguments as the user wrote them.
 * Out: flags and operands in the same order, so that k6's own flags can be handed on unchanged.
 *
 * Source: `k6 run --help` of v2.2.0 and v1.8.1, the union; an integration test compares the table with the
 * help of the k6 it finds. The forms of a flag are those of Go's pflag, which k6 parses with.
 */

export interface K6Flag {
  /** Without dashes, e.g. `vus`. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Whether the next argument is its value. A flag without may still have one after `=`. */
  readonly takesValue: boolean;
}

function flag(name: string, short?: string): K6Flag {
  return { name, ...(short && { short }), takesValue: false };
}

function valueFlag(name: string, short?: string): K6Flag {
  return { ...flag(name, short), takesValue: true };
}

export const k6Flags: readonly K6Flag[] = [
  valueFlag("vus", "u"),
  valueFlag("duration", "d"),
  valueFlag("iterations", "i"),
  valueFlag("stage", "s"),
  valueFlag("execution-segment"),
  valueFlag("execution-segment-sequence"),
  flag("paused", "p"),
  flag("no-setup"),
  flag("no-teardown"),
  valueFlag("max-redirects"),
  valueFlag("batch"),
  valueFlag("batch-per-host"),
  valueFlag("rps"),
  valueFlag("user-agent"),
  // Its value is optional, and then comes after `=` only.
  flag("http-debug"),
  flag("insecure-skip-tls-verify"),
  flag("no-connection-reuse"),
  flag("no-vu-connection-reuse"),
  valueFlag("min-iteration-duration"),
  flag("throw", "w"),
  valueFlag("blacklist-ip"),
  valueFlag("block-hostnames"),
  valueFlag("summary-trend-stats"),
  valueFlag("summary-time-unit"),
  valueFlag("system-tags"),
  valueFlag("tag"),
  valueFlag("console-output"),
  flag("discard-response-bodies"),
  valueFlag("local-ips"),
  valueFlag("dns"),
  flag("include-system-env-vars"),
  valueFlag("compatibility-mode"),
  valueFlag("type", "t"),
  valueFlag("env", "e"),
  flag("no-thresholds"),
  // v1 only, and hidden from its help.
  flag("no-summary"),
  valueFlag("summary-mode"),
  valueFlag("summary-export"),
  flag("new-machine-readable-summary"),
  valueFlag("traces-output"),
  valueFlag("out", "o"),
  flag("linger", "l"),
  flag("no-usage-report"),
  // v2 only.
  valueFlag("features"),
  flag("help", "h"),
  valueFlag("address", "a"),
  valueFlag("config", "c"),
  valueFlag("log-format"),
  valueFlag("log-output"),
  flag("no-color"),
  flag("profiling-enabled"),
  flag("quiet", "q"),
  valueFlag("secret-source"),
  flag("verbose", "v"),
];

const byName = new Map(k6Flags.map((entry) => [entry.name, entry]));
const byShort = new Map(k6Flags.flatMap((entry) => (entry.short ? [[entry.short, entry]] : [])));

/** One flag with its value, or one operand. */
export interface K6Argument {
  /** The flag's long name; for a flag that is not in the table, as it was given; undefined for an operand. */
  readonly name: string | undefined;
  /** The flag's value, or the operand. */
  readonly value: string | undefined;
  /** The arguments as given. Empty for a flag after the first in a cluster such as `-qv`. */
  readonly raw: readonly string[];
}

/** Splits arguments into flags and operands, in their order. A flag not in the table is taken to have no value. */
export function parseK6Arguments(args: readonly string[]): K6Argument[] {
  const result: K6Argument[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const argument = args[i] ?? "";
    if (argument === "--") {
      const operands = args.slice(i + 1);
      result.push(...operands.map((value) => ({ name: undefined, value, raw: [value] })));
      break;
    }
    if (argument === "-" || !argument.startsWith("-")) {
      result.push({ name: undefined, value: argument, raw: [argument] });
      continue;
    }
    const parsed = argument.startsWith("--") ? parseLong(argument) : parseShort(argument);
    const last = parsed.at(-1);
    const next = args[i + 1];
    const raw = [argument];
    if (last?.wantsValue && next !== undefined) {
      raw.push(next);
      last.value = next;
      i += 1;
    }
    result.push(
      ...parsed.map(({ name, value }, index) => ({ name, value, raw: index === 0 ? raw : [] })),
    );
  }
  return result;
}

/** Whether k6 takes a flag's or a variable's value for true. What it refuses is not. Source: Go's `strconv.ParseBool`. */
export function isGoTrue(value: string | undefined): boolean {
  return ["1", "t", "T", "TRUE", "true", "True"].includes(value ?? "");
}

interface ParsedFlag {
  readonly name: string;
  value: string | undefined;
  /** Its value is the next argument. */
  readonly wantsValue: boolean;
}

function parseLong(argument: string): ParsedFlag[] {
  const equals = argument.indexOf("=");
  const name = argument.slice(2, equals === -1 ? undefined : equals);
  if (equals !== -1) return [{ name, value: argument.slice(equals + 1), wantsValue: false }];
  return [{ name, value: undefined, wantsValue: byName.get(name)?.takesValue ?? false }];
}

/** `-q`, `-u 5`, `-u5`, `-u=5`, and clusters of them: `-qvu5`. */
function parseShort(argument: string): ParsedFlag[] {
  const flags: ParsedFlag[] = [];
  for (let at = 1; at < argument.length; at += 1) {
    const letter = argument.charAt(at);
    const known = byShort.get(letter);
    const name = known?.name ?? letter;
    const rest = argument.slice(at + 1);
    if (rest.startsWith("=")) return [...flags, { name, value: rest.slice(1), wantsValue: false }];
    if (known?.takesValue) {
      return [...flags, { name, value: rest || undefined, wantsValue: rest === "" }];
    }
    flags.push({ name, value: undefined, wantsValue: false });
  }
  return flags;
}
