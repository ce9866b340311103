/**
 * Variables and keys that are no options. Each is a problem: a misspelled option that is silently
 * ignored costs its user an afternoon.
 */
import type { ConfigProblem } from "../errors.ts";
import { configFileVariable, type ConfigFile } from "./config-file.ts";
import type { Environment } from "./option-row.ts";
import { optionRows } from "./option-table.ts";
import { suggestion } from "./suggest.ts";

/** Not options: where programs are. */
const toolVariables = "PLIMSOLL_TOOL_";
/** Not options either: of `plimsoll up`, and of the scripts that install what tests use. */
const otherVariables = [
  "PLIMSOLL_UP_PORT_OFFSET",
  "PLIMSOLL_UP_RETENTION",
  "PLIMSOLL_UP_SCRAPE_INTERVAL",
  "PLIMSOLL_CACHE",
];

const k6Prefix = "K6_PROMETHEUS_RW_";

export function unknownVariables(environment: Environment): ConfigProblem[] {
  const known = new Set([
    configFileVariable,
    ...otherVariables,
    ...optionRows.map(({ variable }) => variable),
  ]);
  const k6Rows = optionRows.flatMap(({ k6 }) => k6 ?? []);
  const knownK6 = new Set(k6Rows.map(({ name }) => name));
  const itemPrefixes = k6Rows.flatMap(({ itemPrefix }) => itemPrefix ?? []);
  const problems: ConfigProblem[] = [];
  for (const [option, text] of Object.entries(environment)) {
    if (!text) continue;
    let message: string | undefined;
    if (option.startsWith("PLIMSOLL_")) {
      if (!known.has(option) && !option.startsWith(toolVariables)) {
        message = `is not an option${suggestVariable(option, known, "PLIMSOLL_")}`;
      }
    } else if (option.startsWith(k6Prefix)) {
      if (!knownK6.has(option) && !itemPrefixes.some((prefix) => option.startsWith(prefix))) {
        message = `is not an option of k6's Prometheus output${suggestVariable(option, knownK6, k6Prefix)}`;
      }
    }
    if (message !== undefined) problems.push({ option, message, source: "environment" });
  }
  return problems;
}

/** The prefix is left out of the comparison: alike in all, it would make any two names near. */
function suggestVariable(option: string, known: ReadonlySet<string>, prefix: string): string {
  const suffixes = [...known].map((name) => name.slice(prefix.length));
  return suggestion(option.slice(prefix.length), suffixes).replace('"', `"${prefix}`);
}

export function unknownKeys(file: ConfigFile | undefined): ConfigProblem[] {
  if (file === undefined) return [];
  const keys = optionRows.map(({ key }) => key);
  return Object.keys(file.values)
    .filter((key) => !keys.includes(key))
    .map((option) => ({
      option,
      message: `is not an option${suggestion(option, keys)}`,
      source: file.source,
    }));
}
