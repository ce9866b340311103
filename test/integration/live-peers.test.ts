/**
 * Two servers on one database: what is asked of either is done by the one that has the run.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { InputError } from "../../src/errors.ts";
import type { RunRepository } from "../../src/runs/run-repository.ts";
import { PeerRunService, peerRoutes } from "../../src/server/live/peers.ts";
import type { LiveRunService } from "../../src/server/live/run-service.ts";
import { runFileName } from "../../src/server/run-files.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { findFreePort } from "../../src/free-port.ts";
import { newRun } from "../support/databases.ts";
import { encodeMetricSet } from "../support/encode-metric-set.ts";
import { openRunService } from "../support/live-service.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { startRun } from "../support/start-run.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

interface Server {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly own: LiveRunService;
  readonly service: PeerRunService;
}

let folder: TemporaryFolder;
let store: ReceiverServer;
let repository: RunRepository;
let servers: Server[];
beforeEach(async () => {
  folder = await createTemporaryFolder();
  store = await startReceiverServer();
  repository = await openRepository({ dataDir: folder.path, clock: systemClock });
  servers = [await startServer("a"), await startServer("b")];
});
afterEach(async () => {
  for (const server of servers) await endServer(server);
  for (const one of [repository, store, folder]) await one[Symbol.asyncDispose]();
});

/** @param peerUrl Where it says that it is, if not there. */
async function startServer(
  name: string,
  peerUrl?: string,
  options: { readonly beatMs?: number; readonly runTimeoutMs?: number } = {},
): Promise<Server> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const own = await openRunService({
    repository,
    dataDir: join(folder.path, name),
    writeUrl: store.url,
    peerUrl: peerUrl ?? url,
    drainTimeoutMs: 0,
    ...options,
  });
  const peers = { repository, serverId: own.serverId };
  const app = Fastify();
  await app.register(peerRoutes(own, peers));
  await app.listen({ port, host: "127.0.0.1" });
  return { url, app, own, service: new PeerRunService(own, peers) };
}

async function endServer({ app, own }: Server): Promise<void> {
  await app.close();
  await own.close(0);
}

const pushOf = (runId: number, key: string) => {
  const values = [{ seconds: Math.floor(Date.now() / 1_000), values: [1, 1] }];
  const series = [{ tags: {}, values }];
  const body = encodeMetricSet([{ name: "http_reqs", type: "counter", series }]);
  return { runId, instance: "", key, body };
};

it("has a run's samples, log, archive, stop and end where the run was started", async () => {
  const [a, b] = servers as [Server, Server];
  const { run } = await a.service.start(startRun);
  expect(await b.service.push(pushOf(run.id, "1"))).toBe("stored");
  expect(await a.service.push(pushOf(run.id, "2"))).toBe("stored");
  expect(await b.service.push(pushOf(run.id, "2"))).toBe("repeated");
  const line = { timeNs: 1n, level: "info", message: "hello", labels: {} };
  expect(await b.service.log(run.id, [line])).toBe(true);
  const tar = (async function* () {
    yield Buffer.alloc(70_000, 1);
    yield Buffer.alloc(70_000, 2);
  })();
  expect(await b.service.saveArchive(run.id, tar)).toBe(true);
  expect(await b.service.stop(run.id, "ann")).toBe("stopping");
  expect(await a.service.push(pushOf(run.id, "3"))).toBe("stopped");
  const ended = await b.service.end(run.id, { state: "finished" });
  expect(ended).toMatchObject({ state: "finished", logLines: 1, archiveBytes: 140_000 });
  expect(ended?.summary).toEqual([{ metric: "http_reqs", stat: "count", value: 6 }]);
  const file = runFileName(run);
  expect(await readFile(join(folder.path, "a", "logs", `${file}.jsonl`), "utf8")).toContain(
    "hello",
  );
  expect(await readFile(join(folder.path, "a", "archives", `${file}.tar`))).toHaveLength(140_000);
});

it("hands on that a body cannot be read, and says 503 where the owner is away", async () => {
  const [a, b] = servers as [Server, Server];
  const { run } = await a.service.start(startRun);
  const broken = { ...pushOf(run.id, "1"), body: Buffer.from("no snappy") };
  await expect(b.service.push(broken)).rejects.toThrow(InputError);
  await a.app.close();
  await expect(b.service.push(pushOf(run.id, "1"))).rejects.toMatchObject({ statusCode: 503 });
});

it("has its runs, and is found, at another address than before", async () => {
  const [a, b] = servers as [Server, Server];
  const { run } = await a.service.start(startRun);
  expect(await b.service.push(pushOf(run.id, "1"))).toBe("stored");
  const { run: silent } = await a.service.start(startRun);
  await endServer(a);
  const moved = await startServer("a");
  servers = [moved, b];
  expect(moved.url).not.toBe(a.url);
  expect((await repository.openRuns(moved.own.serverId)).map(({ id }) => id)).toEqual([
    run.id,
    silent.id,
  ]);
  expect(await b.service.push(pushOf(run.id, "1"))).toBe("repeated");
  expect(await b.service.push(pushOf(run.id, "2"))).toBe("stored");
  const ended = await b.service.end(run.id, { state: "finished" });
  expect(ended?.summary).toEqual([{ metric: "http_reqs", stat: "count", value: 4 }]);
});

it("times out the runs of a server that does not come back, and stores what comes when it does", async () => {
  const [a, b] = servers as [Server, Server];
  const { run } = await a.service.start(startRun);
  await a.service.push(pushOf(run.id, "1"));
  await endServer(a);
  const c = await startServer("c", undefined, { beatMs: 20, runTimeoutMs: 100 });
  servers = [b, c];
  await expect
    .poll(async () => (await repository.run(run.id))?.state, { timeout: 10_000 })
    .toBe("timed_out");
  await endServer(c);
  const back = await startServer("a");
  servers = [back, b];
  expect(await b.service.push(pushOf(run.id, "2"))).toBe("stored");
  expect(await repository.run(run.id)).toMatchObject({ state: "timed_out", hasLateData: true });
});

it("takes over a run of a server that is no more, and does not time out one that sends its samples itself", async () => {
  const c = await startServer("c", undefined, { runTimeoutMs: 100 });
  servers = [...servers, c];
  const { id: testId } = await repository.ensureTest(1, "checkout", 1);
  const lost = await repository.create(newRun(testId, "lost", { serverId: "gone" }));
  const local = await repository.create(
    newRun(testId, "local", { serverId: "", source: "run", tokenHash: "" }),
  );
  await repository.enter(local.id, { state: "running", atMs: 2 });
  expect(await c.own.stop(local.id, "ann")).toBe("unstoppable");
  expect(await c.own.push(pushOf(local.id, "1"))).toBe("unknown_run");
  expect(await c.own.push(pushOf(lost.id, "1"))).toBe("stored");
  expect((await repository.ownerOf(lost.id))?.id).toBe(c.own.serverId);
  await expect
    .poll(async () => (await repository.run(lost.id))?.state, { timeout: 10_000 })
    .toBe("timed_out");
  expect((await repository.run(local.id))?.state).toBe("running");
  const ended = await c.own.end(local.id, { state: "finished" });
  expect(ended?.state).toBe("finished");
});

it("leaves another server's run alone that is said to be at its own address", async () => {
  const [a, b] = servers as [Server, Server];
  // As on two hosts that both listen at 127.0.0.1:6460: each finds itself there.
  const c = await startServer("c", b.url);
  servers = [a, b, c];
  const { run } = await c.service.start(startRun);
  const refused = b.service.push(pushOf(run.id, "1"));
  await expect(refused).rejects.toMatchObject({ statusCode: 503 });
  await expect(refused).rejects.toThrow("give it a --peer-url");
  expect(await readdir(join(folder.path, "b", "journals"))).toEqual(["lock"]);
  expect(await c.service.push(pushOf(run.id, "1"))).toBe("stored");
});

it("answers nobody who does not know the run from the database", async () => {
  const [a] = servers as [Server];
  const { run } = await a.service.start(startRun);
  for (const Authorization of ["", "Bearer plr_a", "Bearer hash of a"]) {
    for (const what of ["push", "log", "end", "stop", "archive"]) {
      const url = `${a.url}/peer/v1/runs/${run.id}/${what}`;
      const headers = { Authorization, "Content-Type": "application/octet-stream" };
      const response = await fetch(url, { method: "POST", headers, body: "{}" });
      expect(response.status, what).toBe(401);
    }
  }
  expect((await repository.run(run.id))?.state).toBe("initializing");
});
