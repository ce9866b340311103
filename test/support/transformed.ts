/**
 * What Grafana makes of the answers of a panel's queries: the transformations that our dashboards use, written down a
 * second time from Grafana's manual ("Transform data"). The audit of the dashboards runs Grafana's own.
 *
 * An unknown transformation, option or field is an error here, as it is none in Grafana, which does nothing then.
 */
import type { QueryResult } from "./query-api.ts";

type Row = Map<string, string | number>;

interface Transformation {
  readonly id: string;
  readonly options?: unknown;
}

export interface Answer {
  readonly refId: string;
  readonly results: readonly QueryResult[];
}

/** The rows of a table, by the names of its columns; what has no value is left out. */
export function transformed(
  answers: readonly Answer[],
  transformations: readonly Transformation[],
): Row[] {
  let rows: Row[] = answers.flatMap(({ refId, results }) =>
    results.map(({ metric, value }) =>
      new Map<string, string | number>(Object.entries(metric)).set(`Value #${refId}`, value),
    ),
  );
  for (const { id, options } of transformations) {
    const apply = byId[id];
    if (!apply) throw new Error(`transformation ${id} is not known here`);
    // Each has the form of what it is applied to: a test fails on the first undefined field otherwise.
    rows = apply(rows, options as never);
  }
  return rows;
}

const byId: Readonly<Record<string, (rows: Row[], options: never) => Row[]>> = {
  merge,
  organize,
  convertFieldType,
  sortBy,
  calculateField,
};

/** Rows with the same values in the columns that all queries have become one. */
function merge(rows: Row[]): Row[] {
  const kinds = groupBy(rows, (row) => [...row.keys()].at(-1));
  const shared = [...(rows[0]?.keys() ?? [])].filter((column) =>
    [...kinds.values()].every((kind) => kind.some((row) => row.has(column))),
  );
  const groups = groupBy(rows, (row) => JSON.stringify(shared.map((name) => row.get(name))));
  return [...groups.values()].map((group) => new Map(group.flatMap((row) => [...row])));
}

function organize(
  rows: Row[],
  options: {
    readonly excludeByName?: Readonly<Record<string, boolean>>;
    readonly renameByName?: Readonly<Record<string, string>>;
  },
): Row[] {
  const { excludeByName = {}, renameByName = {} } = options;
  for (const column of Object.keys(renameByName)) expectColumn(rows, column);
  return rows.map(
    (row) =>
      new Map(
        [...row]
          .filter(([column]) => excludeByName[column] !== true)
          .map(([column, value]) => [renameByName[column] ?? column, value]),
      ),
  );
}

/** Numbers stay numbers. */
function convertFieldType(
  rows: Row[],
  { conversions }: { readonly conversions: readonly { readonly targetField: string }[] },
): Row[] {
  for (const { targetField } of conversions) expectColumn(rows, targetField);
  return rows;
}

function sortBy(
  rows: Row[],
  { sort: [by] }: { readonly sort: readonly { readonly field: string }[] },
): Row[] {
  const field = by?.field ?? "";
  expectColumn(rows, field);
  return rows.toSorted((a, b) => numberOf(a, field) - numberOf(b, field));
}

interface Operand {
  readonly fixed?: string;
  readonly matcher?: { readonly options: string };
}

interface Calculation {
  readonly alias: string;
  readonly window?: {
    readonly field: string;
    readonly reducer: "mean" | "stdDev";
    readonly windowSize: number;
  };
  readonly binary?: {
    readonly left: Operand;
    readonly operator: "+" | "-" | "*" | "/";
    readonly right: Operand;
  };
}

function calculateField(rows: Row[], { alias, window, binary }: Calculation): Row[] {
  const operand = (row: Row, { fixed, matcher }: Operand): number =>
    fixed === undefined ? numberOf(row, matcher?.options ?? "") : Number(fixed);
  const value = (row: Row, index: number): number => {
    if (binary) {
      const left = operand(row, binary.left);
      const right = operand(row, binary.right);
      if (binary.operator === "*") return left * right;
      if (binary.operator === "/") return left / right;
      return binary.operator === "+" ? left + right : left - right;
    }
    if (!window) throw new Error(`${alias} is calculated in a way that is not known here`);
    const trailing = rows
      .slice(Math.max(0, index + 1 - window.windowSize), index + 1)
      .map((one) => numberOf(one, window.field));
    const mean = meanOf(trailing);
    return window.reducer === "mean"
      ? mean
      : Math.sqrt(meanOf(trailing.map((one) => (one - mean) ** 2)));
  };
  return rows.map((row, index) => new Map([...row, [alias, value(row, index)]]));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function numberOf(row: Row, column: string): number {
  const value = row.get(column);
  if (typeof value !== "number") throw new Error(`${column} is ${value}, not a number`);
  return value;
}

function expectColumn(rows: readonly Row[], column: string): void {
  if (rows.length > 0 && !rows.some((row) => row.has(column))) {
    throw new Error(`no column ${column}, but ${[...(rows[0]?.keys() ?? [])].join(", ")}`);
  }
}

/** As `Map.groupBy`, which Node 20 lacks. */
function groupBy<Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
