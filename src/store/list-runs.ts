/**
 * The list of runs, and what it can be filtered by: tests and tags that there are.
 *
 * What is long in a run is read of a page's runs alone: they are found first, by indexes or by what comes first in a row.
 */
import { sql, type Kysely } from "kysely";
import type {
  Page,
  RunFilter,
  RunList,
  TagWithValues,
  TestWithRuns,
} from "../runs/run-repository.ts";
import { selectListedRuns, toListedRun } from "./rows.ts";
import { conditions } from "./run-filter.ts";
import { isAfter, parseCursor, sortColumns, toCursor } from "./run-order.ts";
import type { DatabaseKind, Schema } from "./schema.ts";

const defaultLimit = 50;
const maxLimit = 1_000;

/** More than anybody looks through; who knows another name can still ask for it. */
const maxTests = 1_000;
const maxTags = { runs: 5_000, names: 100, values: 50 };

/** @throws InputError for an `after` that no page gave */
export async function listRuns(
  db: Kysely<Schema>,
  kind: DatabaseKind,
  filter: RunFilter,
  { sort = "created", order = "desc", limit = defaultLimit, after }: Page,
): Promise<RunList> {
  const place = after === undefined ? undefined : parseCursor(after, sort);
  const size = Math.min(Math.max(1, limit), maxLimit);
  const matching = db.selectFrom("runs").where((eb) => eb.and(conditions(eb, filter, kind)));
  const { total } = await matching
    .select((eb) => eb.fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  const ids = matching
    .select("runs.id")
    .$if(place !== undefined, (some) => (place ? some.where(isAfter(place, sort, order)) : some))
    .orderBy(`runs.${sortColumns[sort]}`, order)
    .orderBy("runs.id", order)
    // One more than asked for says whether there is another page.
    .limit(size + 1);
  const rows = await selectListedRuns(db)
    .where("runs.id", "in", ids)
    .orderBy(`runs.${sortColumns[sort]}`, order)
    .orderBy("runs.id", order)
    .execute();
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    runs: page.map(toListedRun),
    total,
    next: last && rows.length > size ? toCursor(sort, last) : undefined,
  };
}

export async function testsWithRuns(db: Kysely<Schema>): Promise<TestWithRuns[]> {
  return await db
    .selectFrom("runs")
    .innerJoin("tests", "tests.id", "runs.test_id")
    .select((eb) => [
      "tests.name",
      eb.fn.countAll<number>().as("runs"),
      eb.fn.max("runs.created_ms").as("lastRunMs"),
    ])
    .groupBy("tests.name")
    .orderBy("lastRunMs", "desc")
    .orderBy("tests.name")
    .limit(maxTests)
    .execute();
}

export async function tagsOfRuns(db: Kysely<Schema>): Promise<TagWithValues[]> {
  const newest = db.selectFrom("runs").select((eb) => eb.fn.max("id").as("id"));
  const { id } = await newest.executeTakeFirstOrThrow();
  const pairs = await db
    .with("pairs", (with_) =>
      with_
        .selectFrom("run_tags")
        .where("run_id", ">", (id ?? 0) - maxTags.runs)
        .select((eb) => ["tag", "value", eb.fn.max("run_id").as("last")])
        .groupBy(["tag", "value"]),
    )
    .with("ranked", (with_) =>
      with_
        .selectFrom("pairs")
        .select([
          "tag",
          "value",
          sql<number>`row_number() over (partition by tag order by last desc, value)`.as("place"),
        ]),
    )
    .selectFrom("ranked")
    .select(["tag", "value"])
    .where("place", "<=", maxTags.values)
    .orderBy("tag")
    .orderBy("place")
    .execute();
  const tags = new Map<string, string[]>();
  for (const { tag, value } of pairs) {
    const values = tags.get(tag);
    if (values) values.push(value);
    else if (tags.size < maxTags.names) tags.set(tag, [value]);
  }
  return [...tags].map(([name, values]) => ({ name, values }));
}
