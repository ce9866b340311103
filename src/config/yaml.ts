/**
 * YAML in which every scalar is the text that was written: `version: 1.10` stays "1.10", `build: 007`
 * stays "007", and a value means the same in the file as in a variable or a flag.
 *
 * Source: YAML 1.2.2, "Failsafe Schema", with null added for keys without a value.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type yaml from "yaml";
import { UsageError, messageOf } from "../errors.ts";

const require = createRequire(import.meta.url);

/** An option's value as its source has it. Flags and variables have text, and lists of it. */
export type RawValue = string | null | readonly RawValue[] | RawMap;

export interface RawMap {
  readonly [key: string]: RawValue;
}

/**
 * The value of the one document in `file`; `shownName` stands for the file in messages about its content.
 *
 * @throws UsageError when the file cannot be read, or is no YAML.
 */
export function readYaml(file: string, shownName: string): RawValue {
  return parseYaml(readText(file), shownName);
}

/**
 * The value of one document; `null` for an empty one.
 *
 * @throws UsageError with the file's name, and the line and column of each syntax error.
 */
export function parseYaml(text: string, file: string): RawValue {
  // Not imported above: few runs have a file, and the package takes longer to load than all that reads options.
  const { parseDocument } = require("yaml") as typeof yaml;
  const document = parseDocument(text, {
    schema: "failsafe",
    customTags: ["null"],
    logLevel: "error",
  });
  if (document.errors.length > 0) {
    const messages = document.errors.map(({ message }) => message.split(/:?\n/, 1)[0]);
    throw new UsageError(`${JSON.stringify(file)} is not valid YAML: ${messages.join("; ")}`);
  }
  // The failsafe schema makes nothing but strings, lists and maps; keys of maps are turned to strings.
  const value: RawValue = document.toJS();
  return value;
}

/** @throws UsageError */
function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = messageOf(error);
    throw new UsageError(`cannot read ${JSON.stringify(file)}: ${reason}`, { cause: error });
  }
}

export function isRawMap(raw: RawValue): raw is RawMap {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
