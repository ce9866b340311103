/** Lists of runs in every order, and what they can be filtered by, the same on both databases. */
import { array, assert, asyncProperty, constantFrom, integer, option, record } from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { InputError } from "../../src/errors.ts";
import type { ListedRun, RunRecord } from "../../src/runs/run-record.ts";
import {
  type RunRepository,
  type RunSort,
  runSorts,
  type SortOrder,
  sortOrders,
} from "../../src/runs/run-repository.ts";
import { runStates } from "../../src/runs/run-state.ts";
import { isOver } from "../../src/runs/transitions.ts";
import { openEmbedded } from "../../src/store/embedded.ts";
import { migrate } from "../../src/store/migrate.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { describeWithDatabases, newRun, type TestDatabase } from "../support/databases.ts";

const nowMs = 1_700_000_000_000;

describeWithDatabases((createDatabase) => {
  let database: TestDatabase;
  let repository: RunRepository;
  beforeEach(async () => {
    database = await createDatabase();
    repository = await database.open();
  });
  afterEach(async () => {
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  let made = 0;

  async function makeRun({
    test = "checkout",
    createdMs = nowMs,
    state = "created" as RunRecord["state"],
    durationMs = undefined as number | undefined,
    requests = undefined as number | undefined,
    tags = {},
  }): Promise<RunRecord> {
    const { id: testId } = await repository.ensureTest(1, test, nowMs);
    const testid = `run-${String(made++).padStart(6, "0")}`;
    const { id } = await repository.create(newRun(testId, testid, { createdMs, tags }));
    await repository.change(id, {
      ...(durationMs !== undefined && { startedMs: nowMs }),
      ...(requests !== undefined && {
        summary: [
          { metric: "http_req_duration", stat: "count", value: -7 },
          { metric: "http_reqs", stat: "count", value: requests },
        ],
      }),
    });
    const run = await repository.enter(id, { state, atMs: nowMs + (durationMs ?? 0) });
    return run ?? expect.unreachable("it was made a moment ago");
  }

  /** Every page, with runs that are made between two of them. */
  async function walk(
    sort: RunSort,
    order: SortOrder,
    limit: number,
    between: () => Promise<void>,
  ): Promise<ListedRun[]> {
    const seen: ListedRun[] = [];
    let after: string | undefined;
    do {
      const page = { sort, order, limit, ...(after !== undefined && { after }) };
      const { runs, next } = await repository.list({}, page);
      seen.push(...runs);
      expect(seen.length, "pages that go in a circle").toBeLessThan(500);
      after = next;
      await between();
    } while (after !== undefined);
    return seen;
  }

  it("has every run once on the pages of every order, also while runs are added", async () => {
    const some = <T>(...values: T[]) => constantFrom(...values);
    const kinds = array(
      record({
        test: some("checkout", "Check_in", "check", "Größe", "a\nb", "z".repeat(300)),
        createdMs: integer({ min: nowMs, max: nowMs + 3 }),
        state: some(...runStates),
        durationMs: option(integer({ min: 0, max: 3 }), { nil: undefined }),
        requests: option(some(0, 3, 4, 10, 1e300, 2.4), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await assert(
      asyncProperty(
        kinds,
        constantFrom(...runSorts),
        constantFrom(...sortOrders),
        integer({ min: 1, max: 9 }),
        async (added, sort, order, limit) => {
          for (const kind of added) await makeRun(kind);
          const before = (await repository.list({}, { limit: 1_000 })).runs;
          let left = 3;
          const seen = await walk(sort, order, limit, async () => {
            const [kind] = added;
            if (left-- > 0 && kind) await makeRun(kind);
          });
          const ids = seen.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          const known = new Set(before.map(({ id }) => id));
          const expected = before.toSorted(comparator(sort, order)).map(({ id }) => id);
          expect(ids.filter((id) => known.has(id))).toEqual(expected);
          for (const { id } of (await repository.list({}, { limit: 1_000 })).runs) {
            await repository.delete(id);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("begins with what it has none of where it goes up, and ends with it where it goes down", async () => {
    const none = await makeRun({});
    const few = await makeRun({ requests: 0, durationMs: 5, state: "finished" });
    const many = await makeRun({ requests: 7, durationMs: 6, state: "finished" });
    // Neither begun nor over.
    const open = await makeRun({ durationMs: 0, state: "running", requests: 1 });
    const list = async (sort: RunSort, order: SortOrder) =>
      (await repository.list({}, { sort, order })).runs.map(({ id }) => id);
    expect(await list("requests", "asc")).toEqual([none.id, few.id, open.id, many.id]);
    expect(await list("duration", "desc")).toEqual([many.id, few.id, open.id, none.id]);
  });

  it.each([
    "",
    "x",
    "1700000000000.1",
    toCursor(["created"]),
    toCursor(["created", 1]),
    toCursor(["created", 1.5, 1]),
    toCursor(["created", "1", 1]),
    toCursor(["created", 1, 2 ** 31]),
    toCursor(["created", 1e300, 1]),
    toCursor(["test", "a", 1]),
    toCursor(["test", { toString: 1 }, 1]),
    toCursor({ 0: "created" }),
    toCursor(null),
  ])("does not go on after %j", async (after) => {
    await expect(repository.list({}, { after })).rejects.toThrow(InputError);
  });

  it.each(["'; drop table runs; --", "a\0b", "\ud83d", "x".repeat(10_000)])(
    "goes on after any text in the place of a name, such as %j",
    async (name) => {
      await makeRun({ test: "\u{10ffff}" });
      const after = toCursor(["test", name, 1]);
      const { runs } = await repository.list({}, { sort: "test", order: "asc", after });
      expect(runs).toHaveLength(1);
    },
  );

  it("shows of each run the figures that runs are compared by, as soon as there is a summary", async () => {
    const { id } = await makeRun({});
    const headline = async () => (await repository.list({}, {})).runs[0]?.headline;
    const none = { requests: undefined, failedRatio: undefined, p95Seconds: undefined };
    expect(await headline()).toEqual(none);
    const summary = [
      { metric: "http_reqs", stat: "rate", value: 3 },
      { metric: "http_reqs", stat: "count", value: 70 },
      { metric: "http_req_failed", stat: "rate", value: 0 },
      { metric: "http_req_duration", stat: "p95", value: 0.25 },
    ];
    await repository.change(id, { summary });
    expect(await headline()).toEqual({ requests: 70, failedRatio: 0, p95Seconds: 0.25 });
    await repository.change(id, { note: "no other summary" });
    expect(await headline()).toMatchObject({ requests: 70 });
    // What a generator may send and no database keeps as a number.
    const odd = [NaN, Infinity, 1e300].map((value) => ({
      metric: "http_reqs",
      stat: "count",
      value,
    }));
    for (const row of odd) {
      await repository.change(id, { summary: [row] });
      expect(await headline(), String(row.value)).toEqual(none);
    }
  });

  it("finds what is starred, in whatever order", async () => {
    const runs = [];
    for (const test of ["c", "a", "b"]) runs.push(await makeRun({ test }));
    const [c, a, b] = runs.map(({ id }) => id);
    for (const id of [c, b]) await repository.change(id ?? 0, { starred: true });
    const found = await repository.list({ starred: true }, { sort: "test", order: "asc" });
    expect([found.runs.map(({ id }) => id), found.total]).toEqual([[b, c], 2]);
    expect((await repository.list({ starred: false }, {})).total).toBe(3);
    expect(await repository.change(b ?? 0, { starred: false })).toMatchObject({ starred: false });
    expect((await repository.list({ starred: true, test: "c" }, {})).total).toBe(1);
    expect((await repository.run(a ?? 0))?.starred).toBe(false);
  });

  it("names the tests that have runs, the one with the newest run first, those of one name together", async () => {
    await repository.ensureTest(1, "without", nowMs + 99);
    expect(await repository.testsWithRuns()).toEqual([]);
    await makeRun({ test: "old", createdMs: nowMs + 1 });
    await makeRun({ test: "both", createdMs: nowMs + 2 });
    const { id } = await repository.ensureTest(
      (await repository.ensureProject(2, 1)).id,
      "both",
      1,
    );
    await repository.create(newRun(id, "elsewhere", { createdMs: nowMs }));
    expect(await repository.testsWithRuns()).toEqual([
      { name: "both", runs: 2, lastRunMs: nowMs + 2 },
      { name: "old", runs: 1, lastRunMs: nowMs + 1 },
    ]);
  });

  it("names the tags that runs have, with the values that came last, and no more than can be chosen from", async () => {
    expect(await repository.tags()).toEqual([]);
    for (let n = 0; n < 60; n++) {
      await makeRun({ tags: { env: n % 2 === 0 ? "even" : "odd", release: `r${n}` } });
    }
    const [gone] = (await repository.list({}, {})).runs;
    await repository.delete(gone?.id ?? 0);
    expect(await repository.tags()).toEqual([
      { name: "env", values: ["even", "odd"] },
      { name: "release", values: Array.from({ length: 50 }, (_, n) => `r${58 - n}`) },
    ]);
    await makeRun({
      tags: Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`t${n}`, ""])),
    });
    expect(await repository.tags()).toHaveLength(100);
  });
});

describeWithDatabases((createDatabase) => {
  it("sorts the runs of a database that knew no order, and has none starred", async () => {
    await using database = await createDatabase();
    const { databaseUrl, dataDir } = database.options;
    const old =
      databaseUrl === undefined
        ? await openEmbedded(dataDir, systemClock)
        : await openPostgres(databaseUrl);
    const context = { kind: database.kind, name: old.name, nowMs };
    await migrate(old.db, context, migrations.slice(0, 2));
    await old.close();
    await database.query(
      "insert into tests (project_id, name, created_ms, updated_ms) values (1, 'a', 1, 1)",
    );
    const columns =
      "test_id, testid, server_id, state, source, generator, started_by, token_hash, created_ms, has_late_data, " +
      "archive_bytes, log_lines, search_name, search_note, note, history, thresholds, tags, options, stores, " +
      "started_ms, ended_ms, summary";
    const count = (value: unknown, metric = "http_reqs") => ({ metric, stat: "count", value });
    const others = [
      { metric: "http_req_failed", stat: "rate", value: 0.25 },
      { metric: "http_req_duration", stat: "p90", value: 0.9 },
      { metric: "http_req_duration", stat: "p95", value: 0.5 },
    ];
    const summaries: [testid: string, times: string, summary: readonly object[]][] = [
      ["none", "null, null", []],
      ["open", "5, null", []],
      ["many", "5, 25", [count(7, "iterations"), ...others, count(70)]],
      ["few", "5, 15", [count(9, "data_sent"), count(7.4)]],
      ["null", "null, 7", [count(null)]],
      ["huge", "5, 5", [count(1e300)]],
      ["nul", "5, 6", [count(8), count(1, "a\0b")]],
    ];
    const rows = summaries.map(
      ([testid, times, summary]) =>
        `(1, '${testid}', '', 'finished', 'api', 'k6', 'ann', '', 1, 0, 0, 0, 'a', '', '', '[]', '[]', '{}', '{}', '[]', ` +
        `${times}, '${JSON.stringify(summary)}')`,
    );
    await database.query(`insert into runs (${columns}) values ${rows.join(", ")}`);
    await using repository = await database.open();
    const list = async (sort: RunSort) =>
      (await repository.list({}, { sort })).runs.map(({ testid }) => testid);
    expect((await list("requests")).slice(0, 2)).toEqual(["many", "few"]);
    expect((await list("duration")).slice(0, 4)).toEqual(["many", "few", "nul", "huge"]);
    const kept = await database.query("select testid, requests from runs order by id");
    expect(kept.map(({ requests }) => Number(requests))).toEqual([-1, -1, 70, 7, -1, -1, -1]);
    const [many] = (await repository.list({}, { sort: "requests" })).runs;
    expect(many?.headline).toEqual({ requests: 70, failedRatio: 0.25, p95Seconds: 0.5 });
    expect((await repository.list({ starred: true }, {})).total).toBe(0);
  });
});

function toCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** The orders' meaning, once more. */
function comparator(sort: RunSort, order: SortOrder): (a: ListedRun, b: ListedRun) => number {
  const key = (run: ListedRun): number | string => {
    switch (sort) {
      case "created":
        return run.createdMs;
      case "test":
        return `${run.test}\n${run.testid}`.toLowerCase();
      case "state":
        return run.state;
      case "duration":
        return isOver(run.state) && run.startedMs !== undefined && run.endedMs !== undefined
          ? run.endedMs - run.startedMs
          : -1;
      case "requests":
        return run.headline.requests ?? -1;
    }
  };
  const sign = order === "asc" ? 1 : -1;
  return (a, b) => {
    const [keyA, keyB] = [key(a), key(b)];
    if (keyA === keyB) return sign * (a.id - b.id);
    // By bytes, as UTF-8 has them; none of these is beyond the basic plane.
    return keyA < keyB ? -sign : sign;
  };
}
