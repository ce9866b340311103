/**
 * Prometheus' relabelling: rewrites the labels of a series, or drops it.
 *
 * In:  rules in the syntax of `write_relabel_configs`; the labels of a series.
 * Out: labels that remote write takes: sorted, unique, valid names, no empty value, with `__name__`.
 *
 * Source: Prometheus, `model/relabel/relabel.go` and `docs/configuration/configuration.md`, "relabel_config",
 * with `metric_name_validation_scheme: legacy`, because the specification of remote write 1.0 allows no
 * other names. Where Prometheus would send what receivers refuse (a name that `labelmap` made invalid, a
 * temporary label, a series without a valid name), it is left out here: a 400 costs the series, and the requests that find it.
 */
import { createHash } from "node:crypto";
import type { RE2JS } from "re2js";
import type { Label } from "../aggregate/series-point.ts";
import { expand, toLowerCase, toUpperCase } from "./go-text.ts";

export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** Anchored at both ends, `.` matches a newline; RE2's linear-time engine. */
  readonly regex: RE2JS;
  /** May refer to groups of `regex` when the action is `replace`. */
  readonly targetLabel: string;
  readonly replacement: string;
  /** At least 1 when the action is `hashmod`. */
  readonly modulus: bigint;
}

export const relabelActions = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;

export type RelabelAction = (typeof relabelActions)[number];

/** Source: Remote-Write 1.0, "Labels". */
export const labelName: RegExp = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** `labels` after all `rules`, in byte order of the names; `undefined` when the series is dropped. */
export function relabel(
  labels: readonly Label[],
  rules: readonly RelabelRule[],
): Label[] | undefined {
  const values = new Map<string, string>();
  for (const { name, value } of labels) set(values, name, value);
  for (const rule of rules) {
    if (!apply(rule, values)) return undefined;
  }
  if (!metricName.test(values.get("__name__") ?? "")) return undefined;
  // Names are ASCII here, so `<` is byte order: `Zone` comes before `__name__`.
  return [...values]
    .filter(([name]) => name === "__name__" || (labelName.test(name) && !name.startsWith("__")))
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Changes `values` by one rule; false when the rule drops the series. */
function apply(rule: RelabelRule, values: Map<string, string>): boolean {
  const { regex, targetLabel, replacement } = rule;
  const source = rule.sourceLabels.map((name) => values.get(name) ?? "").join(rule.separator);
  switch (rule.action) {
    case "keep":
      return regex.test(source);
    case "drop":
      return !regex.test(source);
    case "keepequal":
      return (values.get(targetLabel) ?? "") === source;
    case "dropequal":
      return (values.get(targetLabel) ?? "") !== source;
    case "replace": {
      const match = regex.exec(source);
      const name = match === null ? "" : expand(targetLabel, match);
      if (match !== null && labelName.test(name)) set(values, name, expand(replacement, match));
      break;
    }
    case "lowercase":
      set(values, targetLabel, toLowerCase(source));
      break;
    case "uppercase":
      set(values, targetLabel, toUpperCase(source));
      break;
    case "hashmod":
      set(values, targetLabel, String(hash(source) % rule.modulus));
      break;
    case "labelmap":
      for (const [name, value] of Array.from(values)) {
        const match = regex.exec(name);
        const mapped = match === null ? "" : expand(replacement, match);
        if (labelName.test(mapped)) set(values, mapped, value);
      }
      break;
    case "labeldrop":
      for (const name of Array.from(values.keys())) {
        if (regex.test(name)) values.delete(name);
      }
      break;
    case "labelkeep":
      for (const name of Array.from(values.keys())) {
        if (!regex.test(name)) values.delete(name);
      }
      break;
  }
  return true;
}

/** An empty value is no label. A changed label goes to the end: `labelmap` sees it last, as in Prometheus. */
function set(values: Map<string, string>, name: string, value: string): void {
  values.delete(name);
  if (value !== "") values.set(name, value);
}

/** The last 8 bytes of the MD5 sum of the UTF-8 text, big endian. */
function hash(text: string): bigint {
  return createHash("md5").update(text).digest().readBigUInt64BE(8);
}
