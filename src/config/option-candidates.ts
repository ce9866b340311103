/**
 * Finds what the sources say about an option, before anything is parsed: the first that has a value wins.
 *
 * An empty variable or key counts as absent: that is how a template leaves one out.
 */
import type { ConfigProblem } from "../errors.ts";
import type { ConfigFile } from "./config-file.ts";
import type { ValueOrigin } from "./option-kinds.ts";
import { spelled, type Environment } from "./option-row.ts";
import type { NamedRow } from "./option-table.ts";
import type { OptionName } from "./options.ts";
import type { RawValue } from "./yaml.ts";

/** A flag's value, with the flag as it was written, e.g. `--tag`. */
export interface FlagValue {
  readonly flag: string;
  readonly value: RawValue;
}

export interface OptionSources {
  readonly flags?: { readonly [Name in OptionName]?: FlagValue };
  readonly environment?: Environment;
  readonly file?: ConfigFile | undefined;
  /** Relative paths in flags and variables start here. Default `.`. */
  readonly cwd?: string;
}

/** Where a value comes from. */
export interface OptionSource {
  readonly kind: "flag" | "variable" | "file" | "default";
  /** For a person: the flag, the variable, the file's path, `default`. */
  readonly name: string;
}

export interface Candidate {
  readonly raw: RawValue;
  readonly origin: ValueOrigin;
  /** The option as its source spells it. */
  readonly option: string;
  readonly source: OptionSource;
}

/** As the table has it, which needs this module. */
const out = spelled("out");

export function findCandidate(row: NamedRow, sources: OptionSources): Candidate | undefined {
  const { flags = {}, environment = {}, file, cwd = "." } = sources;
  const flag = (row.name === "url" && urlFlag(flags.out)) || flags[row.name];
  if (flag !== undefined) {
    return {
      raw: flag.value,
      option: flag.flag,
      origin: { source: "flags", directory: cwd },
      source: { kind: "flag", name: flag.flag },
    };
  }
  const variable =
    (row.name === "url" && urlVariable(environment)) || findVariable(row, environment);
  if (variable !== undefined) {
    return {
      raw: variable.raw,
      option: variable.name,
      origin: { source: "environment", directory: cwd },
      source: { kind: "variable", name: variable.name },
    };
  }
  const url = row.name === "url" ? urlIn(file?.values[out.key]) : undefined;
  const raw = url ?? file?.values[row.key] ?? "";
  if (file === undefined || raw === "") return undefined;
  return {
    raw,
    option: url === undefined ? row.key : out.key,
    origin: { source: file.source, directory: file.directory },
    source: { kind: "file", name: file.source },
  };
}

/** `prometheus-rw=URL` among the outputs is the URL in another spelling, in each source. */
function urlIn(outputs: RawValue | undefined): string | undefined {
  const items = typeof outputs === "string" ? outputs.split(",") : outputs;
  if (!Array.isArray(items)) return undefined;
  for (const item of items) {
    const [, url] = /^\s*prometheus-rw=(.+)$/s.exec(String(item)) ?? [];
    if (url !== undefined) return url.trim();
  }
  return undefined;
}

function urlFlag(given: FlagValue | undefined): FlagValue | undefined {
  const url = urlIn(given?.value);
  return url === undefined ? undefined : { flag: `${out.flag} prometheus-rw`, value: url };
}

function urlVariable(environment: Environment): Variable | undefined {
  const url = urlIn(environment[out.variable]);
  return url === undefined ? undefined : { name: out.variable, raw: url };
}

interface Variable {
  readonly name: string;
  readonly raw: RawValue;
}

function findVariable(row: NamedRow, environment: Environment): Variable | undefined {
  const text = environment[row.variable] ?? "";
  return text === "" ? findK6Variable(row, environment) : { name: row.variable, raw: text };
}

function findK6Variable({ k6 }: NamedRow, environment: Environment): Variable | undefined {
  if (k6 === undefined) return undefined;
  const text = environment[k6.name] ?? "";
  const { itemPrefix } = k6;
  const itemVariables =
    itemPrefix === undefined
      ? []
      : Object.keys(environment).filter((name) => name.startsWith(itemPrefix) && environment[name]);
  if (itemPrefix === undefined || itemVariables.length === 0) {
    return text === "" ? undefined : { name: k6.name, raw: text };
  }
  const listed = text.split(",").filter((item) => item !== "");
  const listedNames = new Set(listed.map((item) => item.split(":", 1).join().toLowerCase()));
  const items = itemVariables
    .map((variable) => ({ name: variable.slice(itemPrefix.length), variable }))
    .filter(({ name }) => !listedNames.has(name.toLowerCase()))
    .map(({ name, variable }) => `${name}:${environment[variable]}`);
  const names = text === "" ? itemVariables : [k6.name, ...itemVariables];
  return { name: names.join(", "), raw: [...listed, ...items] };
}

/** A K6 variable's text in our spelling; anything else as it is. @throws UsageError */
export function translate({ k6 }: NamedRow, { raw, source }: Candidate): RawValue {
  return k6?.translate !== undefined && source.name === k6.name && typeof raw === "string"
    ? k6.translate(raw)
    : raw;
}

export function toProblem({ option, origin }: Candidate, message: string): ConfigProblem {
  return { option, message, source: origin.source };
}
