/**
 * `plimsoll run` keeps a record of its run, as a server does; and whatever befalls the database meanwhile, load and samples
 * are as if there were none, and the user is told once.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import Libsql from "libsql";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { type RegisteredRun, RunRegister } from "../../src/cli/run-register.ts";
import type { RunState } from "../../src/runs/run-state.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { isOver } from "../support/cloud-checks.ts";
import { cloudScript, type Flow, startCloudK6 } from "../support/cloud-k6.ts";
import { startCloudServer } from "../support/cloud-server.ts";
import { type PlimsollProcess, runPlimsoll, startPlimsoll } from "../support/plimsoll.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { itWithTmpfs, mountTmpfs } from "../support/tmpfs.ts";
import { describeWithTool } from "../support/tools.ts";

const outcome = {
  state: "finished",
  thresholds: [],
  summary: [{ metric: "http_reqs", stat: "count", value: 5 }],
  maxVus: 2,
  startedMs: 1_700_000_000_000,
} as const;

let shop: Shop;
let receiver: ReceiverServer;

beforeAll(async () => {
  shop = await startShop();
  receiver = await startReceiverServer();
});
afterAll(async () => {
  for (const one of [receiver, shop]) await one[Symbol.asyncDispose]();
});
/** Folders of one test. */
interface Home extends AsyncDisposable {
  readonly path: string;
  readonly dataDir: string;
}

async function createHome(): Promise<Home> {
  const folder = await createTemporaryFolder();
  return { ...folder, dataDir: join(folder.path, "data") };
}

describeWithTool("k6-2", "the record of a script", (k6) => {
  it("is the same whether plimsoll run makes the load or a server takes it from k6", async () => {
    await using home = await createHome();
    await using server = await startCloudServer({
      writeUrl: receiver.url,
      flags: ["--data-dir", home.dataDir],
    });
    const scriptEnv = { BASE_URL: shop.url, ENDS: "fails a threshold", DURATION: "2s" };
    const views: RunView[] = [];
    for (const flow of ["k6 run --out cloud", "k6 cloud run --local-execution"] as Flow[]) {
      const folder = join(home.path, String(views.length));
      await mkdir(folder);
      const env = await server.k6Environment();
      await using cloud = startCloudK6({ program: k6, flow, folder, env, scriptEnv });
      const id = await cloud.runId;
      expect((await cloud.result).exitCode).toBe(99);
      await server.waitForRun(id, isOver);
      views.push(
        await vi.waitFor(async () => {
          const run = await server.run(id);
          expect(run.summary).not.toEqual([]);
          return run;
        }),
      );
    }
    for (const samples of ["buckets", "lines"]) {
      const variables = Object.entries(scriptEnv).flatMap(([key, value]) => [
        "-e",
        `${key}=${value}`,
      ]);
      const flags = ["--k6", k6, "--k6-samples", samples, "--testid", samples, "--quiet"];
      const args = ["run", cloudScript, ...flags, ...variables];
      const { exitCode, stderr } = await runPlimsoll([...args, "--out", out()], {
        folder: home.path,
        env: { PLIMSOLL_DATA_DIR: home.dataDir },
      });
      expect(exitCode, stderr).toBe(99);
      views.push((await (await server.ask("GET", `/runs/${samples}`)).json()) as RunView);
    }
    const [cloudV1, , ...local] = views.map(comparable);
    // Without cloud.name in the script: the file's name, without its ending.
    expect(cloudV1).toMatchObject({ test: "cloud-script", result: "failed", maxVus: 2 });
    // v2.2's newer flow has no verdicts of k6, the others have both.
    expect(views.map(({ thresholds }) => thresholds.map((one) => one.generatorOk))).toEqual([
      [true, false],
      [null, null],
      [true, false],
      [true, false],
    ]);
    for (const one of local) expect(one).toEqual(cloudV1);
    const values = views.map(({ thresholds }) => thresholds.map(({ value }) => value));
    for (const [rate, requests] of values) {
      expect(rate).toBe(1);
      expect(requests).toBeGreaterThan(10);
    }
  });
});

describe.concurrent("the embedded database", () => {
  it.each(["is locked", "is of a newer Plimsoll", "cannot be opened"])(
    "may be one that %s: the run is as ever, and says so once",
    async (fault) => {
      await using home = await createHome();
      if (fault === "cannot be opened") await writeFile(home.dataDir, "no folder");
      else await keptRun(home.dataDir, "before");
      using lock = fault === "is locked" ? lockDatabase(home.dataDir) : undefined;
      if (fault === "is of a newer Plimsoll") newSchema(home.dataDir);
      await using plimsoll = startRun(home, { PLIMSOLL_DATA_DIR: home.dataDir });
      await expectWholeRun(
        home,
        plimsoll,
        /the run is not in "plimsoll runs": .*(database is locked|newer Plimsoll|EEXIST)/,
      );
      expect(lock === undefined).toBe(fault !== "is locked");
    },
  );

  it("may be locked from the middle of the run to behind its end", async () => {
    await using home = await createHome();
    await using plimsoll = startRun(home, { PLIMSOLL_DATA_DIR: home.dataDir });
    await vi.waitFor(() => expect(statesIn(home.dataDir)).toEqual(["running"]), patience);
    {
      using lock = lockDatabase(home.dataDir);
      await expectWholeRun(
        home,
        plimsoll,
        /"plimsoll runs" does not know how the run ended: .*locked/,
      );
      void lock;
    }
    expect(statesIn(home.dataDir)).toEqual(["running"]);
  });

  itWithTmpfs("may be on a disk that is full from the middle of the run on", async () => {
    await using home = await createHome();
    await using disk = await mountTmpfs(512 * 1024);
    await using plimsoll = startRun(home, { PLIMSOLL_DATA_DIR: disk.path });
    await vi.waitFor(() => expect(statesIn(disk.path)).toEqual(["running"]), patience);
    const fills = writeFile(join(disk.path, "filler"), Buffer.alloc(1024 * 1024));
    await expect(fills).rejects.toThrow("ENOSPC");
    await expectWholeRun(home, plimsoll, /"plimsoll runs" does not know how the run ended: .*full/);
  });

  itWithTmpfs("may be on a disk that is full before the run", async () => {
    await using home = await createHome();
    await using disk = await mountTmpfs(64 * 1024);
    const fills = writeFile(join(disk.path, "filler"), Buffer.alloc(1024 * 1024));
    await expect(fills).rejects.toThrow("ENOSPC");
    await using plimsoll = startRun(home, { PLIMSOLL_DATA_DIR: disk.path });
    await expectWholeRun(home, plimsoll, /the run is not in "plimsoll runs": .*(full|I\/O)/);
  });

  it("holds up nobody while another process has it, and has the run as soon as that one lets go", async () => {
    await using home = await createHome();
    await keptRun(home.dataDir, "before");
    const notices: string[] = [];
    const lock = lockDatabase(home.dataDir);
    await using register = registered("late", home, notices);
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    await vi.waitFor(() => expect(turns).toBeGreaterThan(200), patience);
    const ending = register.end(outcome);
    const before = turns;
    await vi.waitFor(() => expect(turns).toBeGreaterThan(before + 200), patience);
    clearInterval(turning);
    lock[Symbol.dispose]();
    await ending;
    expect(notices).toEqual([]);
    expect(statesIn(home.dataDir)).toEqual(["finished", "finished"]);
  });
});

describeWithPostgres("a Postgres", (postgres) => {
  /** As a run reaches it, by a network that can fail. */
  async function startProxy(): Promise<TcpProxy & { readonly databaseUrl: string }> {
    const proxy = await startTcpProxy(() => `http://${new URL(postgres().url).host}`);
    const url = Object.assign(new URL(postgres().url), { host: new URL(proxy.url).host });
    return { ...proxy, databaseUrl: url.href };
  }

  /** Resolves when the run is so. */
  async function hasState(testid: string, state: RunState): Promise<void> {
    const options = { databaseUrl: postgres().url, dataDir: "/nonexistent", clock: systemClock };
    await using repository = await openRepository(options);
    const found = async (): Promise<unknown> => (await repository.runByTestid(testid))?.state;
    await vi.waitFor(async () => expect(await found()).toBe(state), patience);
  }

  describe.concurrent("of a run", () => {
    it("may hang from the start: the run is as ever, and says so once", async () => {
      await using home = await createHome();
      await using proxy = await startProxy();
      proxy.stall();
      await using plimsoll = startRun(home, { PLIMSOLL_DATABASE_URL: proxy.databaseUrl });
      await expectWholeRun(home, plimsoll, /the run is not in "plimsoll runs": the database/);
    });

    it("may hang from the middle of the run on", async () => {
      await using home = await createHome();
      await using proxy = await startProxy();
      const env = { PLIMSOLL_DATABASE_URL: proxy.databaseUrl };
      await using plimsoll = startRun(home, env, "hanging");
      await hasState("hanging", "running");
      proxy.stall();
      const notice = /"plimsoll runs" does not know how the run ended: /;
      await expectWholeRun(home, plimsoll, notice);
    });

    it("may be away until everybody has lost patience: what goes on is known again soon after", async () => {
      await using home = await createHome();
      await using proxy = await startProxy();
      const notices: string[] = [];
      await proxy.refuse();
      await using register = registered(
        "returned",
        { ...home, databaseUrl: proxy.databaseUrl },
        notices,
      );
      await vi.waitFor(() => expect(notices).toHaveLength(1), patience);
      await proxy.comeBack();
      await hasState("returned", "running");
      await register.end(outcome);
      await hasState("returned", "finished");
      expect(notices).toEqual([expect.stringMatching("it is tried again until the end")]);
    });

    it("may be away at the start and at the end, if it comes back soon", async () => {
      await using home = await createHome();
      await using proxy = await startProxy();
      const notices: string[] = [];
      await proxy.refuse();
      const store = { ...home, databaseUrl: proxy.databaseUrl };
      await using register = registered("back", store, notices);
      await turn();
      await proxy.comeBack();
      await hasState("back", "running");
      await proxy.refuse();
      const ending = register.end(outcome);
      await turn();
      await proxy.comeBack();
      await ending;
      await hasState("back", "finished");
      expect(notices).toEqual([]);
    });
  });
});

const patience = { timeout: 20_000, interval: 20 };

function out(): string {
  return `prometheus-rw=${receiver.url}`;
}

/** Two seconds of load, with the spool in a folder that nothing befalls. */
function startRun(
  { path }: Home,
  env: Readonly<Record<string, string>>,
  testid = "run",
): PlimsollProcess {
  const load = ["--vus", "2", "--rate", "100", "--duration", "2s", "--testid", testid];
  const report = ["--report", join(path, "report.json")];
  return startPlimsoll(["run", `${shop.url}/products`, ...load, ...report, "--out", out()], {
    folder: path,
    env: { PLIMSOLL_SPOOL_DIR: join(path, "spool"), ...env },
  });
}

/** That every sample is delivered, that the exit code says so, and that one line, which is like that, tells of the record. */
async function expectWholeRun(
  { path }: Home,
  { result }: PlimsollProcess,
  notice: RegExp,
): Promise<void> {
  const { exitCode, stderr } = await result;
  expect(exitCode, stderr).toBe(0);
  const told = stderr.split("\n").filter((line) => line.includes("plimsoll runs"));
  expect(told, stderr).toEqual([expect.stringMatching(notice)]);
  const report = await readReport(join(path, "report.json"));
  expectAccounted(report);
  expect(report).toMatchObject({ state: "finished", points: { pending: 0 } });
  expect(report.samples.read).toBeGreaterThan(100);
  expect(report.points.delivered).toBe(report.points.encoded);
}

function registered(
  testid: string,
  store: { readonly dataDir: string; readonly databaseUrl?: string },
  notices: string[],
): RunRegister {
  const run: RegisteredRun = {
    identity: { testid, test: "checkout" },
    tags: new Map(),
    generator: "k6/2.2.0",
    store: "http://127.0.0.1:1/",
  };
  const options = { dataDir: store.dataDir, databaseUrl: store.databaseUrl };
  return new RunRegister(run, options, (text) => notices.push(text));
}

async function keptRun(directory: string, testid: string): Promise<void> {
  const notices: string[] = [];
  await using register = registered(testid, { dataDir: directory }, notices);
  await register.end(outcome);
  expect(notices).toEqual([]);
}

/** Holds the lock of all who write. */
function lockDatabase(directory: string): Disposable {
  const database = new Libsql(join(directory, "plimsoll.db"), { timeout: 5_000 });
  database.exec("begin immediate");
  return {
    [Symbol.dispose]() {
      database.exec("rollback");
      database.close();
    },
  };
}

function newSchema(directory: string): void {
  const database = new Libsql(join(directory, "plimsoll.db"));
  database.exec("update plimsoll_schema set version = 99");
  database.close();
}

function statesIn(directory: string): unknown[] {
  const database = new Libsql(join(directory, "plimsoll.db"));
  try {
    const rows = database.prepare("select state from runs order by id").all([]);
    return (rows as { readonly state: string }[]).map(({ state }) => state);
  } finally {
    database.close();
  }
}

/** What does not differ from one run of a script to the next. Of verdicts, ours is there for whole metrics alone. */
function comparable(run: RunView): object {
  const { test, state, result, generator, maxVus, stores, tags, hasLateData } = run;
  return {
    test,
    state,
    result,
    generator,
    maxVus,
    stores,
    tags,
    hasLateData,
    thresholds: run.thresholds.map(({ metric, expression, generatorOk }) => [
      metric,
      expression,
      generatorOk,
    ]),
    summary: run.summary.map(({ metric, stat }) => `${metric} ${stat}`).toSorted(),
    wasStarted: run.started !== null,
  };
}
