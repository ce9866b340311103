/** The repository of runs, the same on both databases. */
import { randomBytes } from "node:crypto";
import { array, assert, asyncProperty, constantFrom, option, record } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import type { RunRecord } from "../../src/runs/run-record.ts";
import type { RunChanges, RunFilter, RunRepository } from "../../src/runs/run-repository.ts";
import { runStates, type RunState } from "../../src/runs/run-state.ts";
import { canEnter } from "../../src/runs/transitions.ts";
import { describeWithDatabases, newRun, type TestDatabase } from "../support/databases.ts";

const nowMs = 1_700_000_000_000;

/** What somebody writes who means harm, or comes from far away. */
const awkward = ["'; drop table runs; --", 'a"b\\c\n\t%_*', "naïve Ümlaut 漢字 🚢", "constructor"];

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

  const ensureTest = async (name = "checkout") => (await repository.ensureTest(1, name, nowMs)).id;

  describe("projects and tests", () => {
    it("begin with the default project", async () => {
      const [project, ...others] = await repository.projects();
      expect(project).toMatchObject({ id: 1, name: "Default", isDefault: true });
      expect(others).toEqual([]);
    });

    it("are made when they are asked for, once, however many ask at a time", async () => {
      const ids = [3_700_000, 2, 3_700_000, 1];
      const projects = await Promise.all(ids.map((id) => repository.ensureProject(id, nowMs)));
      expect(projects.map(({ id, isDefault }) => [id, isDefault])).toEqual([
        [3_700_000, false],
        [2, false],
        [3_700_000, false],
        [1, true],
      ]);
      expect((await repository.projects()).map(({ id }) => id)).toEqual([1, 2, 3_700_000]);

      const names = ["b", "a", "b", "b", "a"];
      const tests = await Promise.all(names.map((name) => repository.ensureTest(2, name, nowMs)));
      expect(tests.map(({ name }) => name)).toEqual(names);
      expect(new Set(tests.map(({ id }) => id)).size).toBe(2);
      const elsewhere = await repository.ensureTest(1, "a", nowMs + 5);
      expect((await repository.tests(2)).map(({ name }) => name)).toEqual(["a", "b"]);
      expect(await repository.tests(1)).toEqual([elsewhere]);
      expect(await repository.tests(2, "b")).toEqual([tests[0]]);
      expect(await repository.test(elsewhere.id)).toEqual({
        id: elsewhere.id,
        projectId: 1,
        name: "a",
        createdMs: nowMs + 5,
        updatedMs: nowMs + 5,
      });
      expect(await repository.test(999)).toBeUndefined();
    });
  });

  describe("a run", () => {
    it("is kept as it was made", async () => {
      const verdict = {
        metric: "http_req_duration{status:200}",
        expression: "p(95)<500",
        abortOnFail: true,
        delayAbortEvalMs: 10_000,
        value: undefined,
        ok: undefined,
        generatorOk: undefined,
      };
      const made = newRun(await ensureTest(), "checkout-1", {
        options: { vus: 2, scenarios: { a: [1.5, null, true, "x"] } },
        maxVus: 200,
        expectedSeconds: 61.5,
        thresholds: [verdict],
        tags: { env: "staging", team: "shop" },
        note: "before the sale",
      });
      const run = await repository.create(made);
      const { tokenHash: _hash, idempotencyKey: _key, serverId: _id, ...kept } = made;
      expect(run).toEqual({
        ...kept,
        id: run.id,
        test: "checkout",
        projectId: 1,
        state: "created",
        result: undefined,
        history: [{ state: "created", atMs: nowMs }],
        startedMs: undefined,
        endedMs: undefined,
        lastDataMs: undefined,
        hasLateData: false,
        starred: false,
        summary: [],
        stores: [],
        archiveBytes: 0,
        logLines: 0,
      });
      expect(await repository.run(run.id)).toEqual(run);
      expect(await repository.runByTestid("checkout-1")).toEqual(run);
      expect(await repository.tokenHash(run.id)).toBe("hash");
      expect((await repository.test(made.testId))?.updatedMs).toBe(made.createdMs);
    });

    it.each(awkward)("keeps any text as it is, such as %j", async (text) => {
      const run = await repository.create(
        newRun(await ensureTest(text), text, {
          generator: text,
          startedBy: text,
          note: text,
          tags: { [text]: text },
          options: { [text]: text },
          tokenHash: text,
          idempotencyKey: text,
        }),
      );
      expect(run).toMatchObject({ test: text, testid: text, generator: text, note: text });
      expect(run).toMatchObject({ startedBy: text, tags: { [text]: text } });
      expect(run.options).toEqual({ [text]: text });
      expect((await repository.runByTestid(text))?.id).toBe(run.id);
      expect((await repository.list({ tags: { [text]: text }, search: text }, {})).total).toBe(1);
    });

    it("has room for long texts, but not in its names", async () => {
      // Nothing that Postgres can compress.
      const most = randomBytes(500).toString("hex");
      const long = `${most}é`;
      const test = await ensureTest(most);
      const tags = { [most]: long };
      const texts = { note: long.repeat(200), generator: long, startedBy: long, options: long };
      const indexed = { idempotencyKey: most, serverId: most, tags };
      const run = await repository.create(newRun(test, most, { ...texts, ...indexed }));
      expect(run).toMatchObject({ ...texts, test: most, testid: most, tags });
      const tooLong = [
        ensureTest(long),
        repository.create(newRun(test, long)),
        repository.create(newRun(test, "a", { idempotencyKey: long })),
        repository.create(newRun(test, "a", { tags: { [long]: "" } })),
        repository.create(newRun(test, "a", { serverId: long })),
      ];
      for (const refused of tooLong) {
        await expect(refused).rejects.toThrow(InputError);
        await expect(refused).rejects.toThrow(/has 1002 bytes: expected at most 1000$/);
      }
    });

    it("has a sign in the place of what no database keeps", async () => {
      const run = await repository.create(
        newRun(await ensureTest("a\0b"), "c\0d", { note: "half \ud83d", options: "\0\ud83d" }),
      );
      expect(run).toMatchObject({ test: "a\ufffdb", testid: "c\ufffdd", note: "half \ufffd" });
      expect(run.options).toBe("\0\ud83d");
      expect((await repository.runByTestid("c\0d"))?.id).toBe(run.id);
    });

    it("is one for a request that is repeated, whose newest token is the one that counts", async () => {
      const [test, other] = [await ensureTest(), await ensureTest("other")];
      const request = newRun(test, "first", { idempotencyKey: "k", tags: { a: "1" } });
      const runs = await Promise.all(
        ["first", "second", "third"].map((testid) => repository.create({ ...request, testid })),
      );
      expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
      const [run] = runs;
      const again = await repository.create({ ...request, testid: "x", tokenHash: "newer" });
      expect(again).toEqual(run);
      expect(await repository.tokenHash(again.id)).toBe("newer");
      // Keys of another test are others, and no key is no key.
      const elsewhere = await repository.create({ ...request, testId: other, testid: "other" });
      const plain = await repository.create(newRun(test, "plain-1"));
      const plainToo = await repository.create(newRun(test, "plain-2"));
      const ids = [again, elsewhere, plain, plainToo].map(({ id }) => id);
      expect(new Set(ids).size).toBe(4);
      expect((await repository.list({}, {})).total).toBe(4);
    });

    it("is its user's alone: the same key of somebody else makes another run", async () => {
      const test = await ensureTest();
      const request = newRun(test, "alice-1", { startedBy: "alice", idempotencyKey: "build-123" });
      const alices = await repository.create(request);
      const others = { testid: "bob-1", startedBy: "bob", tokenHash: "bob's" };
      const bobs = await repository.create({ ...request, ...others });
      expect(bobs).toMatchObject({ testid: "bob-1", startedBy: "bob" });
      expect(bobs.id).not.toBe(alices.id);
      expect(await repository.tokenHash(alices.id)).toBe("hash");
      expect((await repository.create({ ...request, testid: "alice-2" })).id).toBe(alices.id);
      // Wherever the name ends and the key begins.
      const crossed = { testid: "c", startedBy: "alicebuild", idempotencyKey: "-123" };
      expect((await repository.create({ ...request, ...crossed })).testid).toBe("c");
    });

    it("needs a test that is there, and a testid of its own", async () => {
      const test = await ensureTest();
      await repository.create(newRun(test, "taken"));
      await expect(repository.create(newRun(999, "free"))).rejects.toThrow(
        "cannot make a run of test 999: there is none",
      );
      await expect(repository.create(newRun(test, "taken"))).rejects.toThrow(
        'cannot make a run "taken": there is one; give it another testid',
      );
      expect((await repository.list({}, {})).total).toBe(1);
    });

    it("changes in what is named, and in nothing else", async () => {
      const { id } = await repository.create(newRun(await ensureTest(), "a"));
      const thresholds = [
        {
          metric: "checks",
          expression: "rate>0.9",
          abortOnFail: false,
          delayAbortEvalMs: 0,
          value: 0.95,
          ok: true,
          generatorOk: false,
        },
      ];
      const changes: readonly RunChanges[] = [
        { startedMs: nowMs + 1 },
        { lastDataMs: nowMs + 2 },
        { hasLateData: true },
        { summary: [{ metric: "http_req_duration", stat: "p99", value: 0.25 }] },
        { stores: ["http://localhost:9090/api/v1/write"] },
        { archiveBytes: 5_000_000_000, logLines: 3 },
        { note: "slow" },
        { expectedSeconds: 0.5 },
        { options: [] },
        { thresholds },
        { hasLateData: false },
        {},
      ];
      let expected = await repository.run(id);
      for (const some of changes) {
        expected = { ...expected, ...some } as RunRecord;
        expect(await repository.change(id, some)).toEqual(expected);
      }
      expect(await repository.run(id)).toEqual(expected);
      expect((await repository.list({ search: "SLOW" }, {})).total).toBe(1);
      expect(await repository.change(999, { note: "x" })).toBeUndefined();
    });

    it("is gone with its tags when it is deleted, and its id is not given again", async () => {
      const test = await ensureTest();
      const { id } = await repository.create(newRun(test, "a", { tags: { env: "x" } }));
      expect(await repository.delete(id)).toBe(true);
      expect(await repository.delete(id)).toBe(false);
      expect(await repository.run(id)).toBeUndefined();
      expect(await repository.tokenHash(id)).toBeUndefined();
      expect(await repository.ownerOf(id)).toBeUndefined();
      expect(await database.query("select * from run_tags")).toEqual([]);
      expect((await repository.create(newRun(test, "a"))).id).toBeGreaterThan(id);
    });
  });

  describe("the states of a run", () => {
    it("are entered where the state machine has a way, each with its time, and the end is kept", async () => {
      const { id } = await repository.create(newRun(await ensureTest(), "a"));
      await repository.enter(id, { state: "running", atMs: nowMs + 1 });
      const back = await repository.enter(id, { state: "initializing", atMs: nowMs + 2 });
      expect(back?.state).toBe("running");
      const stop = {
        state: "aborted_by_user",
        atMs: nowMs + 3,
        reason: "Ctrl-C",
        by: "ci",
      } as const;
      await repository.enter(id, stop, "error");
      const late = await repository.enter(id, { state: "finished", atMs: nowMs + 9 }, "passed");
      expect(late).toMatchObject({ state: "aborted_by_user", result: "error", endedMs: nowMs + 3 });
      expect(late?.history).toEqual([
        { state: "created", atMs: nowMs },
        { state: "running", atMs: nowMs + 1 },
        stop,
      ]);
      expect(await repository.enter(999, stop)).toBeUndefined();
    });

    it("follow the state machine, whatever is asked for at the same time", async () => {
      const test = await ensureTest();
      let run = 0;
      const states = array(constantFrom(...runStates), { maxLength: 8 });
      await assert(
        asyncProperty(states, async (asked) => {
          const { id } = await repository.create(newRun(test, `run-${run++}`));
          const transitions = asked.map((state, at) => ({ state, atMs: nowMs + at }));
          await Promise.all(transitions.map((transition) => repository.enter(id, transition)));
          const now = await repository.run(id);
          const entered = now?.history.map(({ state }) => state) ?? [];
          expect(entered.at(-1)).toBe(now?.state);
          for (const [at, state] of entered.slice(1).entries()) {
            expect(canEnter(entered[at] ?? state, state)).toBe(true);
          }
          // Nothing that was asked for is still to be done.
          const last = now?.state ?? "created";
          expect(asked.filter((state) => canEnter(last, state))).toEqual([]);
        }),
        { numRuns: 25 },
      );
    });

    it("say which runs a server still has to look after", async () => {
      const test = await ensureTest();
      const serverId = "a";
      const ends: RunState[] = ["finished", "timed_out"];
      for (const state of [...runStates.slice(0, 3), ...ends]) {
        const { id } = await repository.create(newRun(test, state, { serverId }));
        await repository.enter(id, { state, atMs: nowMs });
      }
      await repository.create(newRun(test, "of another", { serverId: "b" }));
      const open = await repository.openRuns(serverId);
      expect(open.map(({ testid }) => testid)).toEqual(["created", "initializing", "running"]);
      expect(await repository.openRuns("")).toEqual([]);
    });
  });

  describe("the list", () => {
    it("has the newest first, page by page, and each run once", async () => {
      const test = await ensureTest();
      // Of each three, two in one millisecond.
      for (let at = 0; at < 9; at++) {
        const createdMs = nowMs + [0, 5, 5][at % 3]! + Math.floor(at / 3) * 10;
        await repository.create(newRun(test, `run-${at}`, { createdMs }));
      }
      const seen: string[] = [];
      let after: string | undefined;
      let pages = 0;
      do {
        const page: { limit: number; after?: string } = { limit: 4 };
        if (after !== undefined) page.after = after;
        const { runs, total, next } = await repository.list({}, page);
        expect(total).toBe(9);
        seen.push(...runs.map(({ testid }) => testid));
        // What comes meanwhile is newer, and moves nothing.
        await repository.create(newRun(await ensureTest("other"), `later-${pages}`));
        await repository.delete((await repository.runByTestid(`later-${pages}`))?.id ?? 0);
        after = next;
        pages++;
      } while (after !== undefined);
      expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0].map((at) => `run-${at}`));
      expect(pages).toBe(3);
      expect((await repository.list({}, { limit: 9 })).next).toBeUndefined();
      expect((await repository.list({}, { limit: 0 })).runs).toHaveLength(1);
    });

    it("finds what every part of a filter says, and counts it", async () => {
      const names = ["checkout", "Check_in", "Größe"];
      const notes = ["", "100% slow", "GRÖSSE"];
      const runs: RunRecord[] = [];
      for (let at = 0; at < 24; at++) {
        const test = await ensureTest(names[at % 3]);
        const { id } = await repository.create(
          newRun(test, `run-${at}`, {
            createdMs: nowMs + Math.floor(at / 2),
            note: notes[Math.floor(at / 3) % 3] ?? "",
            tags: at % 2 === 0 ? { env: "a" } : { env: "b", team: "a" },
          }),
        );
        const state = runStates[at % runStates.length] ?? "created";
        const result = at % 5 === 0 ? "failed" : "passed";
        await repository.enter(id, { state, atMs: nowMs }, result);
        const run = await repository.run(id);
        if (run) runs.push(run);
      }
      const some = <T>(...values: T[]) => option(constantFrom(...values), { nil: undefined });
      const filters = record({
        test: some(...names, "check"),
        states: some<RunState[]>(["finished"], ["running", "created"], [...runStates], []),
        result: some("failed", "error"),
        search: some("check", "k_i", "100% S", "%", "größe", "run-1", ""),
        tags: some<Record<string, string>>({ env: "a" }, { env: "b", team: "a" }, { env: "" }, {}),
        createdFromMs: some(nowMs + 3),
        createdBeforeMs: some(nowMs + 8),
      });
      await assert(
        asyncProperty(filters, async (wanted) => {
          // What is undefined is left out.
          const filter = JSON.parse(JSON.stringify(wanted)) as RunFilter;
          const expected = runs.filter((run) => isWanted(run, filter));
          const found = await repository.list(filter, {});
          expect(found.total).toBe(expected.length);
          const newestFirst = expected.sort((a, b) => b.createdMs - a.createdMs || b.id - a.id);
          expect(found.runs.map(({ id }) => id)).toEqual(newestFirst.map(({ id }) => id));
          // And each as it is itself, but for what is long.
          for (const [at, { headline: _headline, ...listed }] of found.runs.entries()) {
            expect(newestFirst[at]).toMatchObject(listed);
          }
        }),
        { numRuns: 150 },
      );
    });
  });

  describe("servers", () => {
    const [a, b] = [
      { id: "a", url: "http://a:1", seenMs: nowMs },
      { id: "b", url: "http://b:1", seenMs: nowMs + 1 },
    ];

    it("keep their runs wherever they move", async () => {
      const test = await ensureTest();
      const { id } = await repository.create(newRun(test, "of a", { serverId: a.id }));
      expect(await repository.ownerOf(id)).toEqual({ id: a.id, url: "", seenMs: 0 });
      for (const server of [b, a]) await repository.saveServer(server);
      expect(await repository.ownerOf(id)).toEqual(a);
      const moved = { id: a.id, url: "https://elsewhere", seenMs: nowMs + 2 };
      await Promise.all([moved, moved].map((server) => repository.saveServer(server)));
      expect(await repository.ownerOf(id)).toEqual(moved);
      expect(await repository.servers()).toEqual([moved, b]);
      expect((await repository.openRuns(a.id)).map((run) => run.id)).toEqual([id]);
      await repository.handOver(id, b.id);
      expect(await repository.ownerOf(id)).toEqual(b);
      expect(await repository.openRuns(a.id)).toEqual([]);
    });

    it("have no part in what nobody takes samples for", async () => {
      const { id } = await repository.create(newRun(await ensureTest(), "a", { serverId: "" }));
      expect(await repository.ownerOf(id)).toBeUndefined();
      expect((await repository.openRuns("")).map((run) => run.id)).toEqual([id]);
    });
  });

  it("has an id that stays, and that no other database has", async () => {
    const id = await repository.databaseId();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    await using again = await database.open();
    expect(await again.databaseId()).toBe(id);
    await using other = await createDatabase();
    await using others = await other.open();
    expect(await others.databaseId()).not.toBe(id);
  });

  describe("tokens", () => {
    it("are found by their hash until they are revoked", async () => {
      const token = await repository.createToken({
        name: "ci",
        role: "push",
        hash: "abc",
        createdMs: nowMs,
      });
      const expected = { id: token.id, name: "ci", role: "push", createdMs: nowMs };
      expect(token).toEqual({ ...expected, revokedMs: undefined });
      expect(await repository.tokenByHash("abc")).toEqual(token);
      expect(await repository.tokenByHash("abd")).toBeUndefined();
      expect(await repository.createToken({ ...token, hash: "abc" })).toEqual(token);

      expect(await repository.revokeToken(token.id, nowMs + 1)).toBe(true);
      expect(await repository.tokenByHash("abc")).toBeUndefined();
      expect(await repository.revokeToken(token.id, nowMs + 2)).toBe(true);
      expect(await repository.tokens()).toEqual([{ ...expected, revokedMs: nowMs + 1 }]);
      expect(await repository.revokeToken(999, nowMs)).toBe(false);
    });
  });

  describe("links to a run", () => {
    const createdMs = nowMs;
    const expiresMs = nowMs + 60_000;
    const token = (hash: string, name = "alice") =>
      repository.createToken({ name, role: "read", hash, createdMs });
    const startRun = async () =>
      (await repository.create(newRun(await ensureTest(), `run-${randomBytes(4).toString("hex")}`)))
        .id;
    const share = (runId: number, hash: string, createdBy = "alice") =>
      repository.createShare({ runId, createdBy, hash, createdMs, expiresMs });

    it("are found by their hash until they end, are revoked, or their run is gone", async () => {
      await token("a");
      const [runId, other] = [await startRun(), await startRun()];
      const made = await share(runId, "1");
      expect(made).toEqual({ id: made?.id, runId, createdBy: "alice", createdMs, expiresMs });
      expect(await repository.shareByHash("1", expiresMs - 1)).toEqual(made);
      expect(await repository.shareByHash("1", expiresMs)).toBeUndefined();
      expect(await repository.shareByHash("2", nowMs)).toBeUndefined();
      expect(await repository.shares(runId, expiresMs - 1)).toEqual([made]);
      expect(await repository.shares(runId, expiresMs)).toEqual([]);

      const id = made?.id ?? 0;
      expect(await repository.deleteShare(other, id)).toBe(false);
      expect(await repository.deleteShare(runId, id)).toBe(true);
      expect(await repository.deleteShare(runId, id)).toBe(false);
      expect(await repository.shareByHash("1", nowMs)).toBeUndefined();

      const next = await share(runId, "3");
      expect(next?.id).toBeGreaterThan(id);
      await repository.delete(runId);
      expect(await repository.shareByHash("3", nowMs)).toBeUndefined();
      expect(await share(runId, "4")).toBeUndefined();
    });

    it("end with the last token of whoever made them", async () => {
      const runId = await startRun();
      const [first, second] = [await token("a"), await token("b")];
      await token("c", "bob");
      await share(runId, "1");
      await repository.revokeToken(first.id, nowMs);
      expect(await repository.shareByHash("1", nowMs)).toMatchObject({ createdBy: "alice" });
      await repository.revokeToken(second.id, nowMs);
      expect(await repository.shareByHash("1", nowMs)).toBeUndefined();
    });

    it("are a hundred of a run at most, however many are made at a time", async () => {
      const runId = await startRun();
      const hashes = Array.from({ length: 110 }, (_, at) => `${at}`);
      const made = await Promise.allSettled(hashes.map((hash) => share(runId, hash)));
      const refused = made.filter(({ status }) => status === "rejected");
      expect(refused).toHaveLength(10);
      expect(refused[0]).toMatchObject({ reason: expect.any(InputError) as unknown });
      expect(await repository.shares(runId, nowMs)).toHaveLength(100);
      const later = { runId, createdBy: "alice", hash: "x", createdMs: expiresMs };
      await repository.createShare({ ...later, expiresMs: expiresMs + 1 });
      expect(await repository.shares(runId, 0)).toHaveLength(1);
    });
  });
});

/** The filter's meaning, once more. */
function isWanted(run: RunRecord, filter: RunFilter): boolean {
  const { test, states, result, search = "", tags = {}, createdFromMs, createdBeforeMs } = filter;
  const texts = [run.test, run.testid, run.note].map((text) => text.toLowerCase());
  return (
    (test === undefined || run.test === test) &&
    (states === undefined || states.includes(run.state)) &&
    (result === undefined || run.result === result) &&
    texts.some((text) => text.includes(search.toLowerCase())) &&
    Object.entries(tags).every(([tag, value]) => run.tags[tag] === value) &&
    run.createdMs >= (createdFromMs ?? 0) &&
    run.createdMs < (createdBeforeMs ?? Infinity)
  );
}
