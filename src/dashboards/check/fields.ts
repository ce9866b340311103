/**
 * Which fields a panel has, by name, after its transformations: what an override, a sorting or the next transformation
 * can name.
 *
 * In:  a panel and the labels of each of its answers.
 * Out: the names that there can be, from which query each is, and names that are asked for and cannot be there.
 *
 * A name made of labels (`{{name}}`) stands for whatever they may be, so it is never said to be missing.
 */
import { suggestion } from "../../config/suggest.ts";
import type { PanelJson } from "./model.ts";
import {
  isPattern,
  namesAskedFor,
  textOf,
  transformations,
  transformed,
  type Field,
} from "./transformations.ts";

export interface Fields {
  readonly fields: readonly Field[];
  readonly problems: readonly string[];
}

/** `labels` has those of each query's answer, by refId. */
export function fieldsOf(
  panel: PanelJson,
  labels: ReadonlyMap<string, ReadonlySet<string>>,
): Fields {
  const problems: string[] = [];
  let fields = queriedFields(panel, labels);
  for (const transformation of panel.transformations ?? []) {
    const { id = "" } = transformation;
    if (!transformations.has(id)) {
      problems.push(
        `unknown transformation ${JSON.stringify(id)}${suggestion(id, transformations)}`,
      );
      continue;
    }
    for (const name of namesAskedFor(transformation)) {
      if (!has(fields, name)) problems.push(`transformation ${id}: ${noField(name, fields)}`);
    }
    fields = transformed(fields, transformation, labels);
  }
  for (const { displayName = "" } of panel.options?.sortBy ?? []) {
    if (!has(fields, displayName))
      problems.push(`sorts by what is not there: ${noField(displayName, fields)}`);
  }
  problems.push(...overrideProblems(panel, fields), ...linkProblems(panel, fields));
  return { fields, problems };
}

function queriedFields(
  panel: PanelJson,
  labels: ReadonlyMap<string, ReadonlySet<string>>,
): Field[] {
  const targets = panel.targets ?? [];
  return targets.flatMap(({ refId = "", legendFormat = "", format }): Field[] => {
    const time = { name: "Time", refId: undefined };
    if (format !== "table") return [time, { name: legendFormat, refId }];
    const names = [...(labels.get(refId) ?? [])].map((name) => ({ name, refId: undefined }));
    // One table calls its values so; several are told apart by their query.
    return [time, ...names, { name: targets.length > 1 ? `Value #${refId}` : "Value", refId }];
  });
}

function overrideProblems(panel: PanelJson, fields: readonly Field[]): string[] {
  return (panel.fieldConfig?.overrides ?? []).flatMap(({ matcher = {} }): string[] => {
    const { id = "", options } = matcher;
    const refIds = (panel.targets ?? []).map(({ refId }) => refId);
    switch (id) {
      case "byName":
        return has(fields, textOf(options))
          ? []
          : [`an override matches nothing: ${noField(textOf(options), fields)}`];
      case "byRegexp":
        return fields.some((field) => matches(field, textOf(options)))
          ? []
          : [
              `an override matches nothing: no field's name matches ${JSON.stringify(options)}; ${listing(fields)}`,
            ];
      case "byFrameRefID":
        return refIds.includes(textOf(options))
          ? []
          : [`an override matches nothing: no query ${JSON.stringify(options)}`];
      case "byType":
        return ["number", "string", "time", "boolean"].includes(textOf(options))
          ? []
          : [`an override matches nothing: no type of fields ${JSON.stringify(options)}`];
      case "byNames":
      case "byValue":
        return [];
      default:
        return [
          `unknown matcher ${JSON.stringify(id)}; expected byName, byRegexp, byFrameRefID or byType`,
        ];
    }
  });
}

/** Fields of the row that a link takes a value from: `${__data.fields.Run}`, `${__data.fields["Run"]}`. */
function linkProblems({ fieldConfig = {} }: PanelJson, fields: readonly Field[]): string[] {
  const asked = JSON.stringify(fieldConfig).matchAll(
    /__data\.fields(?:\.(\w+)|\[\\?["']([^"'\\]+)\\?["']\])/g,
  );
  return [...asked]
    .map(([, bare, quoted]) => bare ?? quoted ?? "")
    .filter((name) => !has(fields, name))
    .map((name) => `a link takes a value from what is not there: ${noField(name, fields)}`);
}

const has = (fields: readonly Field[], wanted: string): boolean =>
  fields.some(({ name }) => name === wanted || (isPattern(name) && toRegExp(name).test(wanted)));

/**
 * Whether the name can match. Of a name with labels in it only the beginning is known. `text` is `/…/` or bare, as Grafana
 * takes it.
 */
export function matches({ name }: Field, text: string): boolean {
  const [, pattern = text, flags = ""] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  if (!isPattern(name)) return new RegExp(pattern, flags).test(name);
  const start = /^\^([\w ]*)(?![*+?{|\w ])/.exec(pattern)?.[1] ?? "";
  const known = name.replace(/\{\{.*$/s, "");
  return start.startsWith(known) || known.startsWith(start);
}

/** Matches every name that a legend can become. */
function toRegExp(legend: string): RegExp {
  const parts = legend
    .split(/\{\{.*?\}\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return legend === "" ? /^.*$/s : new RegExp(`^${parts.join(".*")}$`, "s");
}

const noField = (name: string, fields: readonly Field[]): string =>
  `no field ${JSON.stringify(name)}${suggestion(
    name,
    fields.map((field) => field.name),
  )}; ${listing(fields)}`;

const listing = (fields: readonly Field[]): string =>
  `there are ${[...new Set(fields.map(({ name }) => JSON.stringify(name)))].join(", ")}`;
