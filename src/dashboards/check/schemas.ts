/**
 * Holds dashboards to Grafana's own JSON schemas.
 *
 * In:  the folder of schemas from grafana/grafana-foundation-sdk (`jsonschema/`).
 * Out: what a dashboard has that they do not allow.
 *
 * The schemas are made from CUE and are narrower than what Grafana takes, in the ways that `widen` undoes.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { at, unique, type Finding } from "./finding.ts";
import { panelsOf, type DashboardJson } from "./model.ts";

export type SchemaCheck = (name: string, dashboard: DashboardJson) => Finding[];

/** @throws Error where a schema of the folder cannot be read */
export async function readSchemas(folder: string): Promise<SchemaCheck> {
  const compile = async (file: string, root?: string): Promise<ValidateFunction> => {
    const text = await readFile(path.join(folder, `${file}.jsonschema.json`), "utf8");
    const schema = widen(JSON.parse(text)) as Readonly<Record<string, unknown>>;
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    return ajv.compile(root === undefined ? schema : { ...schema, $ref: `#/definitions/${root}` });
  };
  const validate = await compile("dashboard");
  const query = await compile("prometheus", "Dataquery");
  const options = new Map<string, ValidateFunction>();
  for (const type of ["bargauge", "heatmap", "stat", "table", "text", "timeseries"]) {
    options.set(type, await compile(type, "Options"));
  }
  return (name, dashboard) => {
    const { __inputs: _, __requires: __, ...model } = dashboard;
    const findings = errorsOf(validate, model, name);
    for (const { place, panel } of panelsOf(name, dashboard)) {
      for (const target of panel.targets ?? []) {
        findings.push(...errorsOf(query, target, at(place, target.refId ?? "")));
      }
      const validateOptions = options.get(panel.type ?? "");
      if (validateOptions) findings.push(...errorsOf(validateOptions, panel.options ?? {}, place));
      else
        findings.push({
          place,
          message: `no schema for panels of type ${JSON.stringify(panel.type)}`,
        });
    }
    return unique(findings);
  };
}

function errorsOf(validate: ValidateFunction, value: unknown, place: string): Finding[] {
  validate(value);
  return (validate.errors ?? []).map((error) => ({ place, message: `schema: ${textOf(error)}` }));
}

function textOf({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath === "" ? "it" : instancePath} ${message}: ${JSON.stringify(params)}`;
}

/** A copy of a schema without the wrinkles that come from CUE. */
function widen(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(widen);
  if (typeof schema !== "object" || schema === null) return schema;
  // CUE's `any`.
  if (isDeepStrictEqual(Object.entries(schema).filter(isConstraint), anyObject)) return {};
  const { oneOf } = schema as { readonly oneOf?: readonly { readonly $ref?: string }[] };
  const refs = (oneOf ?? []).map(({ $ref }) => $ref);
  if (refs.includes(rowPanel)) {
    // What is wrong with a panel is said of the panel, not that it is no row either.
    const isRow = { properties: { type: { const: "row" } } };
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema has the word.
    return { if: isRow, then: { $ref: rowPanel }, else: { $ref: "#/definitions/Panel" } };
  }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, widen(value)]));
}

const rowPanel = "#/definitions/RowPanel";
const anyObject = [
  ["type", "object"],
  ["additionalProperties", {}],
];

const isConstraint = ([name]: [string, unknown]): boolean => name !== "description";
