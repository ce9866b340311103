/**
 * Gives a command the flags of the option table, and resolves the options of one invocation.
 *
 * Only cli/ knows commander; what the options are, and what their values mean, is config/'s.
 */
import { type Command, Option } from "commander";
import {
  type ConfigFile,
  configFileFlag,
  configFileVariable,
  loadConfigFile,
} from "../config/config-file.ts";
import type { FlagValue } from "../config/option-candidates.ts";
import { boolean } from "../config/option-kinds.ts";
import type { OptionGroup } from "../config/option-row.ts";
import { optionRows, toDefaultText, type NamedRow } from "../config/option-table.ts";
import type { OptionName } from "../config/options.ts";
import { resolveOptions, type ResolvedOptions } from "../config/resolve-options.ts";
import type { RawValue } from "../config/yaml.ts";
import { parseRelabelConfigs } from "../encode/parse-relabel-configs.ts";
import type { CommandIo } from "./command-io.ts";

const groupHeadings: Readonly<Record<OptionGroup, string>> = {
  run: "Run options:",
  "prometheus-rw": "Prometheus output options:",
  serve: "Server options:",
  client: "Where the runs are:",
};

/** Adds `--config-file` and a flag for each option that is meant: of a group, or by its own name. */
export function addOptionFlags(
  command: Command,
  ...meant: readonly (OptionGroup | OptionName)[]
): Command {
  return addRows(
    command,
    optionRows.filter(({ group, name }) => meant.includes(group) || meant.includes(name)),
  );
}

/** Adds `--config-file` and the flag of one option, for a command that needs no others. */
export function addOptionFlag(command: Command, name: OptionName): Command {
  return addRows(
    command,
    optionRows.filter((row) => row.name === name),
  );
}

function addRows(command: Command, rows: readonly NamedRow[]): Command {
  const configFile = new Option(
    `${configFileFlag} <file>`,
    `file with options (default: plimsoll.yaml, where there is one; ${configFileVariable})`,
  );
  command.addOption(configFile.helpGroup(groupHeadings.run));
  for (const row of rows) {
    for (const option of toFlags(row)) {
      command.addOption(option.helpGroup(groupHeadings[row.group]));
    }
  }
  return command;
}

/**
 * The flags that were given, `PLIMSOLL_*` and `K6_PROMETHEUS_RW_*` variables, the file and the defaults.
 *
 * @throws ConfigError with every problem.
 */
export function resolveCommandOptions(
  command: Command,
  { env, cwd }: Pick<CommandIo, "env" | "cwd">,
): ResolvedOptions {
  const flags = readFlags(command);
  const file = readConfigFile(command, { env, cwd });
  return resolveOptions({ flags, environment: env, file, cwd }, ({ rules, source }) => {
    parseRelabelConfigs(rules, source);
  });
}

/** The file that the options of one invocation are from, as it was named; undefined where there is none. */
export function configFileOf(
  command: Command,
  io: Pick<CommandIo, "env" | "cwd">,
): string | undefined {
  return readConfigFile(command, io)?.source;
}

function readConfigFile(
  command: Command,
  { env, cwd }: Pick<CommandIo, "env" | "cwd">,
): ConfigFile | undefined {
  const path = command.getOptionValue(toAttribute(configFileFlag)) ?? env[configFileVariable];
  return loadConfigFile(typeof path === "string" && path !== "" ? path : undefined, cwd);
}

/** A boolean has a flag for on and one for off; help shows the one that changes the default. */
function toFlags(row: NamedRow): Option[] {
  const { flag, short, kind } = row;
  const description = `${row.description} (default: ${toDefaultText(row)}; ${row.variable})`;
  if (kind === boolean) {
    const on = new Option(flag, description);
    const off = new Option(toNegative(flag), `do not ${description}`);
    return toDefaultText(row) === "true" ? [on.hideHelp(), off] : [on, off.hideHelp()];
  }
  const names = short === undefined ? flag : `${short}, ${flag}`;
  const option = new Option(`${names} <${kind.placeholder}>`, description);
  if (kind.repeatable) {
    option.argParser((value: string, previous: readonly string[] | undefined) => [
      ...(previous ?? []),
      value,
    ]);
  }
  return [option];
}

function readFlags(command: Command): Partial<Record<OptionName, FlagValue>> {
  const flags: Partial<Record<OptionName, FlagValue>> = {};
  for (const { name, flag } of optionRows) {
    // Commander gives what toFlags asked for: a text, a list of texts or a boolean.
    const value: RawValue | boolean | undefined = command.getOptionValue(toAttribute(flag));
    if (value === undefined) continue;
    flags[name] =
      typeof value === "boolean"
        ? { flag: value ? flag : toNegative(flag), value: String(value) }
        : { flag, value };
  }
  return flags;
}

function toNegative(flag: string): string {
  return flag.replace("--", "--no-");
}

function toAttribute(flag: string): string {
  return new Option(flag).attributeName();
}
