/** What a list of runs is asked for, as conditions of a query. */
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from "kysely";
import type { RunFilter } from "../runs/run-repository.ts";
import type { DatabaseKind, Schema } from "./schema.ts";

/** To be combined with `and`. */
export function conditions(
  eb: ExpressionBuilder<Schema, "runs">,
  filter: RunFilter,
  kind: DatabaseKind,
): Expression<SqlBool>[] {
  const { test, states, result, search, tags, createdFromMs, createdBeforeMs, starred } = filter;
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
  // Spelled out, as its index is: of a value that is bound, SQLite does not know that it fits.
  if (starred === true) all.push(sql<SqlBool>`runs.starred = 1`);
  for (const [tag, value] of Object.entries(tags ?? {})) {
    const found = eb
      .selectFrom("run_tags")
      .select("run_tags.run_id")
      .where("run_tags.tag", "=", tag)
      // What the index has of it.
      .where(sql<SqlBool>`substr(run_tags.value, 1, 200) = substr(${value}, 1, 200)`)
      .where("run_tags.value", "=", value);
    all.push(eb("runs.id", "in", found));
  }
  if (search !== undefined && search !== "") {
    // Not `like`: then % and _ would have to be escaped, and case would be the database's own.
    const position = sql.raw<number>(kind === "postgres" ? "strpos" : "instr");
    const part = search.toLowerCase();
    const isIn = (column: "search_name" | "search_note") =>
      sql<SqlBool>`${position}(${sql.ref(`searched.${column}`)}, ${part}) > 0`;
    // By itself, so that SQLite looks through the index that has both, and not through the rows.
    const found = eb
      .selectFrom("runs as searched")
      .select("searched.id")
      .where((or) => or.or([isIn("search_name"), isIn("search_note")]));
    all.push(eb("runs.id", "in", found));
  }
  return all;
}
