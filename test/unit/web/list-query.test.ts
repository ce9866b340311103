import {
  type Arbitrary,
  array,
  assert,
  boolean,
  constantFrom,
  property,
  record,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import {
  everything,
  isFiltered,
  type ListQuery,
  parseListQuery,
  pathOfList,
  questionOf,
} from "../../../src/web/runs/list-query.ts";

const parse = (path: string): ListQuery =>
  parseListQuery(new URL(path, "http://page").searchParams);

const anyQuery = record({
  search: string(),
  test: string({ unit: "grapheme" }),
  state: constantFrom("", "running", "timed_out", "under_way", "over"),
  result: constantFrom("", "passed", "failed", "error"),
  tags: array(string().map((value) => `branch=${value}`)),
  range: constantFrom(undefined, "24h", "30d"),
  from: constantFrom("", "2026-11-22T21:08:44.000Z"),
  before: constantFrom("", "2026-11-23T00:00:00.000Z"),
  starred: boolean(),
  sort: constantFrom("created", "requests", "duration"),
  order: constantFrom("asc", "desc"),
  after: string(),
}) satisfies Arbitrary<ListQuery>;

describe("the query of the list", () => {
  it("is the same when it is read from the address that it made", () => {
    assert(
      property(anyQuery, (query) => {
        expect(parse(pathOfList(query))).toEqual(query);
      }),
    );
  });

  it("says nothing in the address that is usual", () => {
    expect(pathOfList(everything)).toBe("/runs");
    expect(pathOfList({ ...everything, search: "a&b" })).toBe("/runs?search=a%26b");
  });

  it("leaves out what it does not understand", () => {
    const path = "/runs?sort=evil&order=up&state=dead&range=constructor&from=now&tag=x&starred=1";
    expect(parse(path)).toEqual(everything);
  });

  it("asks the server for all states that are meant", () => {
    const asked = (state: string): string[] =>
      new URL(questionOf({ ...everything, state }, 50, 0), "http://server").searchParams.getAll(
        "state",
      );
    expect(asked("under_way")).toEqual(["created", "initializing", "running"]);
    expect(asked("over")).toHaveLength(7);
    expect(asked("finished")).toEqual(["finished"]);
    expect(asked("")).toEqual([]);
  });

  it("asks the same within a minute, so that a range is no new question each time", () => {
    const query: ListQuery = { ...everything, range: "24h" };
    const minute = Date.UTC(2026, 10, 22, 22, 8);
    expect(questionOf(query, 50, minute + 59_999)).toBe(questionOf(query, 50, minute));
    expect(questionOf(query, 50, minute)).toContain("from=2026-11-21T22%3A08%3A00.000Z");
  });

  it("knows whether it leaves any run out", () => {
    expect(isFiltered({ ...everything, sort: "test", order: "asc", after: "x" })).toBe(false);
    expect(isFiltered({ ...everything, starred: true })).toBe(true);
  });
});
