/**
 * Merges the sources of options into one validated set, in which each value carries its source.
 *
 * Flags win over `PLIMSOLL_*` variables, these over `K6_PROMETHEUS_RW_*` variables, these over
 * plimsoll.yaml, and that over the defaults. An option is taken whole: tags of a flag replace tags of
 * the file. Only the values that win are validated, so that a flag can replace a variable that k6 needs
 * and Plimsoll refuses.
 */
import { ConfigError, UsageError, type ConfigProblem } from "../errors.ts";
import { findCandidate, toProblem, translate } from "./option-candidates.ts";
import type { Candidate, OptionSource, OptionSources } from "./option-candidates.ts";
import { conflicts, moveUserInfo } from "./option-conflicts.ts";
import type { OptionKind, ValueOrigin } from "./option-kinds.ts";
import { optionRows, optionTable, type NamedRow } from "./option-table.ts";
import type { OptionName, Options, ParsedOptions, WriteRelabelConfigs } from "./options.ts";
import { unknownKeys, unknownVariables } from "./unknown-options.ts";
import type { RawValue } from "./yaml.ts";

export interface ResolvedOptions {
  readonly values: Options;
  readonly sources: Readonly<Record<OptionName, OptionSource>>;
}

/**
 * `checkRelabelConfigs` throws ConfigError for rules that encode/ does not understand; its problems are
 * reported with the others.
 *
 * @throws ConfigError with every problem of every source.
 */
export function resolveOptions(
  sources: OptionSources,
  checkRelabelConfigs?: (configs: WriteRelabelConfigs) => void,
): ResolvedOptions {
  const environment = sources.environment ?? {};
  const problems = [...unknownVariables(environment), ...unknownKeys(sources.file)];
  const candidates = new Map<OptionName, Candidate>();
  const parsed: ParsedOptions = {};
  for (const row of optionRows) {
    const candidate = findCandidate(row, sources);
    if (candidate === undefined) continue;
    candidates.set(row.name, candidate);
    problems.push(
      ...problemsOf(candidate, () => {
        const raw = translate(row, candidate);
        setParsed(parsed, row.name, optionTable[row.name].kind, raw, candidate.origin);
      }),
    );
  }
  const rules = candidates.get("writeRelabelConfigs");
  const { writeRelabelConfigs } = parsed;
  if (rules !== undefined && writeRelabelConfigs !== undefined) {
    problems.push(...problemsOf(rules, () => checkRelabelConfigs?.(writeRelabelConfigs)));
  }
  problems.push(...moveUserInfo(parsed, candidates), ...conflicts(candidates));
  if (problems.length > 0) throw new ConfigError(problems);

  const dataDir = parsed.dataDir ?? optionTable.dataDir.toDefault({ environment, dataDir: "" });
  // Each default is of its row's type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const defaults = toRecord(({ toDefault }) => toDefault({ environment, dataDir })) as Options;
  return {
    values: { ...defaults, ...parsed },
    sources: toRecord(
      ({ name }) => candidates.get(name)?.source ?? { kind: "default", name: "default" },
    ),
  };
}

function problemsOf(candidate: Candidate, check: () => void): readonly ConfigProblem[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    if (error instanceof UsageError) return [toProblem(candidate, error.message)];
    throw error;
  }
}

/** Generic, so that the compiler knows that the property and the kind belong together. */
function setParsed<Name extends OptionName>(
  parsed: ParsedOptions,
  name: Name,
  kind: OptionKind<Options[Name]>,
  raw: RawValue,
  origin: ValueOrigin,
): void {
  parsed[name] = kind.parse(raw, origin);
}

function toRecord<Value>(toValue: (row: NamedRow) => Value): Record<OptionName, Value> {
  // There is a row for each name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(optionRows.map((row) => [row.name, toValue(row)])) as Record<
    OptionName,
    Value
  >;
}
