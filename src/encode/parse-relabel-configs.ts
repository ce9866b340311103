/**
 * Reads relabel rules in the syntax of Prometheus' `write_relabel_configs`, as strictly as Prometheus does.
 *
 * In:  parsed YAML. Out: rules with their defaults, fit for `relabel`.
 *
 * Source: Prometheus, `model/relabel/relabel.go`, `DefaultRelabelConfig` and `Config.Validate`.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { ConfigError, type ConfigProblem } from "../errors.ts";
import { labelName, relabelActions, type RelabelAction, type RelabelRule } from "./relabel.ts";

const fieldNames = [
  "source_labels",
  "separator",
  "target_label",
  "regex",
  "modulus",
  "replacement",
  "action",
] as const;

type FieldName = (typeof fieldNames)[number];

/** Collects what is wrong with a field of one rule, or with the rule itself. */
type Report = (field: FieldName | "", message: string) => void;

/** What Prometheus refuses in a rule, because the action takes no notice of it. */
const unusedFields: Readonly<Partial<Record<RelabelAction, readonly FieldName[]>>> = {
  lowercase: ["replacement"],
  uppercase: ["replacement"],
  keepequal: ["regex", "modulus", "separator", "replacement"],
  dropequal: ["regex", "modulus", "separator", "replacement"],
  labeldrop: ["source_labels", "target_label", "modulus", "separator", "replacement"],
  labelkeep: ["source_labels", "target_label", "modulus", "separator", "replacement"],
};

/** A label name in which any part may be `$1` or `${name}`. */
const labelNameTemplate = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:\w|\$(?:\{\w+\}|\w+))*$/;

/**
 * The rules of a parsed YAML list. Scalars may be of any type: Prometheus reads their text.
 *
 * @throws ConfigError with every problem of every rule.
 */
export function parseRelabelConfigs(yamlValue: unknown, source: string): RelabelRule[] {
  if (!Array.isArray(yamlValue)) {
    const message = "is not a list of relabel rules";
    throw new ConfigError([{ option: "write_relabel_configs", message, source }]);
  }
  const problems: ConfigProblem[] = [];
  const rules = yamlValue.map((rule: unknown, index) =>
    parseRule(rule, (field, message) => {
      const option = `write_relabel_configs[${index}]${field === "" ? "" : `.${field}`}`;
      problems.push({ option, message, source });
    }),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return rules;
}

function parseRule(rule: unknown, report: Report): RelabelRule {
  const fields = parseFields(rule, report);
  const text = (name: FieldName, otherwise: string): string => {
    const value = fields.get(name) ?? otherwise;
    if (typeof value === "string") return value;
    report(name, "is not a text");
    return otherwise;
  };
  const actionText = text("action", "replace");
  const action = relabelActions.find((known) => known === actionText.toLowerCase()) ?? "keep";
  if (action !== actionText.toLowerCase()) {
    report("action", `${JSON.stringify(actionText)} is not one of ${relabelActions.join(", ")}`);
  }
  const sourceLabels = fields.get("source_labels") ?? [];
  const modulusText = text("modulus", "0");
  const parsed: RelabelRule = {
    action,
    sourceLabels: typeof sourceLabels === "string" ? [] : sourceLabels,
    separator: text("separator", ";"),
    regex: compile(text("regex", "(.*)"), report),
    targetLabel: text("target_label", ""),
    replacement: text("replacement", "$1"),
    modulus: /^\d+$/.test(modulusText) ? BigInt(modulusText) : -1n,
  };
  if (typeof sourceLabels === "string") report("source_labels", "is not a list of label names");
  if (parsed.modulus < 0n || parsed.modulus >= 2n ** 64n) {
    report("modulus", `${JSON.stringify(modulusText)} is not a whole number below 2^64`);
  }
  validate(parsed, new Set(fields.keys()), report);
  return parsed;
}

/** The known fields of a rule that have a value: texts, or a list of texts. */
function parseFields(rule: unknown, report: Report): Map<FieldName, string | string[]> {
  const fields = new Map<FieldName, string | string[]>();
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) {
    report("", "is not a relabel rule: expected a map such as {action: drop, regex: debug}");
    return fields;
  }
  for (const [key, value] of Object.entries(rule)) {
    const name = fieldNames.find((known) => known === key);
    const text = toText(value);
    if (name === undefined) {
      report("", `has the unknown field ${JSON.stringify(key)}: expected ${fieldNames.join(", ")}`);
    } else if (text !== undefined) {
      fields.set(name, text);
    } else if (Array.isArray(value) && value.every((item) => toText(item) !== undefined)) {
      fields.set(
        name,
        value.map((item) => toText(item) ?? ""),
      );
    } else {
      report(name, "is neither a text nor a list of texts");
    }
  }
  return fields;
}

/** As Prometheus' YAML reader: any scalar has a text, and that of null is empty. */
function toText(value: unknown): string | undefined {
  if (value === null) return "";
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function compile(regex: string, report: Report): RE2JS {
  try {
    return RE2JS.compile(`^(?s:${regex})$`);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    report("regex", `${JSON.stringify(regex)} is not RE2 syntax: ${error.getDescription()}`);
    return RE2JS.compile("");
  }
}

function validate(rule: RelabelRule, given: ReadonlySet<FieldName>, report: Report): void {
  const { action, targetLabel, replacement } = rule;
  const needsTarget = !["keep", "drop", "labelmap", "labeldrop", "labelkeep"].includes(action);
  const isTemplate = action === "replace" && targetLabel.includes("$");
  if (needsTarget && targetLabel === "") {
    report("target_label", `is missing: the action ${action} writes to it`);
  } else if (needsTarget && !(isTemplate ? labelNameTemplate : labelName).test(targetLabel)) {
    report("target_label", `${JSON.stringify(targetLabel)} is not a label name`);
  }
  if (action === "hashmod" && rule.modulus === 0n) {
    report("modulus", "is missing: the action hashmod divides by it");
  }
  if (action === "labelmap" && !labelNameTemplate.test(replacement)) {
    report("replacement", `${JSON.stringify(replacement)} is not a label name`);
  }
  const isDefault: Readonly<Record<FieldName, boolean>> = {
    action: true,
    source_labels: !given.has("source_labels"),
    separator: rule.separator === ";",
    target_label: targetLabel === "",
    regex: !given.has("regex"),
    modulus: rule.modulus === 0n,
    replacement: replacement === "$1",
  };
  for (const name of unusedFields[action] ?? []) {
    if (!isDefault[name]) report(name, `has no meaning for the action ${action}`);
  }
}
