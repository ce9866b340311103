/**
 * What Grafana's transformations make of fields: which names they ask for, and which there are afterwards.
 *
 * In:  a transformation as the panel has it, the fields before it.
 * Out: the fields after it.
 */
import type { TransformationJson } from "./model.ts";

export interface Field {
  /** May hold `{{label}}`. */
  readonly name: string;
  /** The query that its values come from; undefined for labels and what is computed. */
  readonly refId: string | undefined;
}

/** Grafana's transformations. Source: @grafana/data, DataTransformerID. */
export const transformations: ReadonlySet<string> = new Set(
  `append calculateField concatenate configFromData convertFieldType ensureColumns
  extractFields fieldLookup filterByRefId filterByValue filterFields filterFieldsByName
  filterFrames formatString formatTime groupBy groupToNestedTable groupingToMatrix heatmap
  histogram joinByField joinByLabels labelsToFields limit merge noop order organize
  partitionByValues prepareTimeSeries reduce regression rename renameByRegex rowsToFields
  seriesToColumns seriesToRows smoothing sortBy spatial timeSeriesTable transpose`.split(/\s+/),
);

/** After these, the names are those of values that only the store knows. */
const opaque = new Set(
  `extractFields groupingToMatrix joinByLabels rowsToFields timeSeriesTable transpose`.split(/\s+/),
);

/** The names of fields in a transformation's options, where a name that is not there is a mistake. */
export function namesAskedFor({ id = "", options = {} }: TransformationJson): string[] {
  const texts = (value: unknown): string[] =>
    [value].flat().filter((text): text is string => typeof text === "string" && text !== "");
  switch (id) {
    case "organize":
      // Grafana writes names into `indexByName` and `excludeByName` that are not always there; we do not.
      return ["excludeByName", "indexByName", "renameByName"].flatMap((key) =>
        keysOf(options[key]),
      );
    case "joinByField":
    case "seriesToColumns":
      return texts(options["byField"]);
    case "groupBy":
      return keysOf(options["fields"]);
    case "sortBy":
      return listOf(options["sort"]).flatMap((sort) => texts(sort["field"]));
    case "filterByValue":
      return listOf(options["filters"]).flatMap((filter) => texts(filter["fieldName"]));
    case "filterFieldsByName":
      return texts(recordOf(options["include"])["names"]);
    case "convertFieldType":
      return listOf(options["conversions"]).flatMap((conversion) =>
        texts(conversion["targetField"]),
      );
    case "calculateField": {
      const binary = recordOf(options["binary"]);
      const sides = [binary["left"], binary["right"]].flatMap((side) => {
        const { matcher } = recordOf(side);
        const { id: by, options: name } = recordOf(matcher);
        return by === "byName" || by === undefined ? texts(name ?? side) : [];
      });
      const named = sides.filter((name) => Number.isNaN(Number(name)));
      const mode = options["mode"];
      const several = [
        recordOf(options["reduce"])["include"],
        recordOf(options["cumulative"])["field"],
      ];
      const windowed = [
        recordOf(options["window"])["field"],
        recordOf(options["unary"])["fieldName"],
      ];
      return [...(mode === "binary" ? named : []), ...texts(several.flat()), ...texts(windowed)];
    }
    default:
      return [];
  }
}

export function transformed(
  fields: readonly Field[],
  { id = "", options = {} }: TransformationJson,
  labels: ReadonlyMap<string, ReadonlySet<string>>,
): Field[] {
  const any: Field = { name: "{{any}}", refId: undefined };
  if (opaque.has(id)) return [...fields, any];
  switch (id) {
    case "organize": {
      const renamed = recordOf(options["renameByName"]);
      const excluded = recordOf(options["excludeByName"]);
      return fields
        .filter(({ name }) => excluded[name] !== true)
        .map(({ name, refId }) => ({ name: textOf(renamed[name]) || name, refId }));
    }
    case "renameByRegex": {
      const [pattern, replacement] = [options["regex"], options["renamePattern"]];
      const regexp = new RegExp(textOf(pattern));
      return fields.map(({ name, refId }) => ({
        name: name.replace(regexp, textOf(replacement)),
        refId,
      }));
    }
    case "filterFieldsByName": {
      const { names, pattern } = recordOf(options["include"]);
      if (!Array.isArray(names) || typeof pattern === "string") return [...fields];
      return fields.filter(({ name }) => names.includes(name) || isPattern(name));
    }
    case "calculateField": {
      const alias = textOf(options["alias"]);
      const made: Field = alias === "" ? any : { name: alias, refId: undefined };
      return options["replaceFields"] === true ? [made] : [...fields, made];
    }
    case "reduce": {
      const reducers = [options["reducers"]].flat().map((reducer) => titleOf(textOf(reducer)));
      if (options["mode"] === "reduceFields") return [...fields];
      const own =
        options["labelsToFields"] === true ? [...labels.values()].flatMap((set) => [...set]) : [];
      return [...new Set(["Field", ...own, ...reducers])].map((name) => ({
        name,
        refId: undefined,
      }));
    }
    case "groupBy":
      return Object.entries(recordOf(options["fields"])).flatMap(([name, of]): Field[] => {
        const { operation, aggregations } = recordOf(of);
        const refId = fields.find((field) => field.name === name)?.refId;
        if (operation === "groupby") return [{ name, refId }];
        return [aggregations ?? []]
          .flat()
          .map((aggregation) => ({ name: `${name} (${textOf(aggregation)})`, refId }));
      });
    case "convertFieldType": {
      // Grafana shows a time as a date, whatever the unit.
      const times = listOf(options["conversions"])
        .filter(({ destinationType }) => destinationType === "time")
        .map(({ targetField }) => targetField);
      return fields.map(({ name, refId }) => ({
        name,
        refId: times.includes(name) ? undefined : refId,
      }));
    }
    case "merge":
      return [...new Map(fields.map((field) => [field.name, field])).values()];
    case "joinByField":
    case "seriesToColumns":
      return joined(fields, textOf(options["byField"]) || "Time");
    case "labelsToFields":
      return [
        ...fields,
        ...[...labels.values()]
          .flatMap((set) => [...set])
          .map((name) => ({ name, refId: undefined })),
      ];
    case "seriesToRows":
      return ["Time", "Metric", "Value"].map((name) => ({ name, refId: undefined }));
    case "histogram":
    case "regression":
    case "heatmap":
      return [...fields, any];
    default:
      return [...fields];
  }
}

/** One table of several: fields that have a name in common are numbered, but for the one that they are joined by. */
function joined(fields: readonly Field[], by: string): Field[] {
  const seen = new Map<string, number>();
  return fields.flatMap((field) => {
    const { name, refId } = field;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    if (name === by) return count === 1 ? field : [];
    const isAlone = fields.filter((other) => other.name === name).length === 1;
    return isAlone || isPattern(name) ? field : { name: `${name} ${count}`, refId };
  });
}

/** As Grafana calls a reduced column. Source: @grafana/data, fieldReducers. */
function titleOf(reducer: string): string {
  const special: Readonly<Record<string, string>> = {
    lastNotNull: "Last *",
    firstNotNull: "First *",
    sum: "Total",
    allIsZero: "All zeros",
    allIsNull: "All nulls",
    changeCount: "Change count",
    distinctCount: "Distinct count",
    diffperc: "Difference percent",
    diff: "Difference",
    stdDev: "StdDev",
  };
  return special[reducer] ?? `${reducer.charAt(0).toUpperCase()}${reducer.slice(1)}`;
}

/** Whether labels are in a name: it can be anything. */
export const isPattern = (name: string): boolean => name === "" || name.includes("{{");

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const keysOf = (value: unknown): string[] => Object.keys(recordOf(value));

const listOf = (value: unknown): Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map(recordOf) : [];
