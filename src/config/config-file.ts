/**
 * Finds and reads plimsoll.yaml. What its keys mean is left to resolve-options.ts.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError, UsageError } from "../errors.ts";
import { isRawMap, readYaml, type RawMap } from "./yaml.ts";

const configFileName = "plimsoll.yaml";
export const configFileFlag = "--config-file";
export const configFileVariable = "PLIMSOLL_CONFIG_FILE";

export interface ConfigFile {
  /** The path as it was given, or `plimsoll.yaml`. */
  readonly source: string;
  /** Absolute; paths in the file start here. */
  readonly directory: string;
  readonly values: RawMap;
}

/**
 * The file at `path`, or plimsoll.yaml in `cwd` where there is one.
 *
 * @throws ConfigError when the file cannot be read, or is no YAML map.
 */
export function loadConfigFile(path: string | undefined, cwd: string): ConfigFile | undefined {
  const source = path ?? configFileName;
  const file = resolve(cwd, source);
  if (path === undefined && !existsSync(file)) return undefined;
  try {
    const content = readYaml(file, source) ?? {};
    if (!isRawMap(content)) {
      throw new UsageError(
        `${JSON.stringify(source)} is not a map of options: expected "key: value"`,
      );
    }
    return { source, directory: dirname(file), values: content };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ConfigError([{ option: configFileFlag, message: error.message, source }], {
      cause: error,
    });
  }
}
