/**
 * The orders of a list of runs, and the cursor from one page to the next.
 *
 * Each order is a column and the id, both in one direction, so that an index has it and a page begins wherever the last one
 * ended, whatever was added meanwhile. A cursor is a page's last run in its order: base64url of `["created",1700000000000,7]`.
 */
import { sql, type Expression, type SqlBool } from "kysely";
import { InputError } from "../errors.ts";
import type { RunSort, SortOrder } from "../runs/run-repository.ts";
import type { ListedRow } from "./rows.ts";

/** Of `runs`: none is ever null. */
export const sortColumns: Readonly<
  Record<RunSort, "created_ms" | "sort_name" | "state" | "duration_ms" | "requests">
> = {
  created: "created_ms",
  test: "sort_name",
  state: "state",
  duration: "duration_ms",
  requests: "requests",
};

/** The place of a run in an order. */
export interface Place {
  readonly key: string | number;
  readonly id: number;
}

export function toCursor(sort: RunSort, row: ListedRow): string {
  const place = [sort, row[sortColumns[sort]], row.id];
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws InputError for a text that is no `next` of a page in this order */
export function parseCursor(text: string, sort: RunSort): Place {
  const [of, key, id] = arrayIn(Buffer.from(text, "base64url").toString());
  const isText = typeof key === "string" && (sort === "test" || sort === "state");
  const isNumber = Number.isSafeInteger(key) && sort !== "test" && sort !== "state";
  const isId = Number.isSafeInteger(id) && Math.abs(Number(id)) <= 0x7fff_ffff;
  if (of !== sort || !isId || !(isText || isNumber)) {
    throw new InputError(
      `cannot list runs by ${sort} after ${JSON.stringify(text)}: expected the "next" of a page in this order`,
    );
  }
  return { key: isText ? key : Number(key), id: Number(id) };
}

function arrayIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    // Not JSON: no cursor of ours.
    return [];
  }
}

/** @returns whether a run comes after `place` in the list */
export function isAfter(place: Place, sort: RunSort, order: SortOrder): Expression<SqlBool> {
  const column = sql.ref(`runs.${sortColumns[sort]}`);
  const comparison = sql.raw(order === "desc" ? "<" : ">");
  return sql<SqlBool>`(${column}, runs.id) ${comparison} (${place.key}, ${place.id})`;
}
