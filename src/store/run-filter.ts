/** What a list of runs is asked for, as conditions of a query; and the cursor from one page to the next. */
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from "kysely";
import { InputError } from "../errors.ts";
import type { RunFilter } from "../runs/run-repository.ts";
import type { DatabaseKind, Schema } from "./schema.ts";

/** The place of a run in the order of the list: newest first, of two of one millisecond the one with the larger id. */
export interface Place {
  readonly created_ms: number;
  readonly id: number;
}

/** To be combined with `and`. */
export function conditions(
  eb: ExpressionBuilder<Schema, "runs">,
  filter: RunFilter,
  kind: DatabaseKind,
): Expression<SqlBool>[] {
  const { test, states, result, search, tags, createdFromMs, createdBeforeMs } = filter;
  const all: Expression<SqlBool>[] = [];
  if (test !== undefined) {
    const ids = eb.selectFrom("tests").select("tests.id").where("tests.name", "=", test);
    all.push(eb("runs.test_id", "in", ids));
  }
  // Postgres knows no empty list.
  if (states?.length === 0) all.push(sql<SqlBool>`false`);
  else if (states !== undefined) all.push(eb("runs.state", "in", [...states]));
  if (result !== undefined) all.push(eb("runs.result", "=", result));
  if (createdFromMs !== undefined) all.push(eb("runs.created_ms", ">=", createdFromMs));
  if (createdBeforeMs !== undefined) all.push(eb("runs.created_ms", "<", createdBeforeMs));
  for (const [tag, value] of Object.entries(tags ?? {})) {
    // Not `in`: then all runs with the tag are sorted for a page of them.
    const found = eb
      .selectFrom("run_tags")
      .select("run_tags.run_id")
      .whereRef("run_tags.run_id", "=", "runs.id")
      .where("run_tags.tag", "=", tag)
      .where("run_tags.value", "=", value);
    all.push(eb.exists(found));
  }
  if (search !== undefined && search !== "") {
    // Not `like`: then % and _ would have to be escaped, and case would be the database's own.
    const position = sql.raw<number>(kind === "postgres" ? "strpos" : "instr");
    const part = search.toLowerCase();
    const isIn = (column: "search_name" | "search_note") =>
      sql<SqlBool>`${position}(${eb.ref(`runs.${column}`)}, ${part}) > 0`;
    all.push(eb.or([isIn("search_name"), isIn("search_note")]));
  }
  return all;
}

export function toCursor({ created_ms, id }: Place): string {
  return `${created_ms}.${id}`;
}

/** @throws InputError for a text that is no page's `next` */
export function parseCursor(text: string): Place {
  const [, createdMs, id] = /^(\d{1,15})\.(\d{1,10})$/.exec(text) ?? [];
  if (id === undefined) {
    throw new InputError(
      `cannot list runs after ${JSON.stringify(text)}: expected a page's "next"`,
    );
  }
  return { created_ms: Number(createdMs), id: Number(id) };
}

/** @returns whether a run comes after `place` in the list */
export function isAfter(place: Place): Expression<SqlBool> {
  return sql<SqlBool>`(runs.created_ms, runs.id) < (${place.created_ms}, ${place.id})`;
}
