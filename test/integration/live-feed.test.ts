/**
 * What a page is told of a run while it goes on: unmodified k6, a server, a Prometheus, and viewers that come, are cut off and
 * come back. What they have in the end is held against what the server says of the whole run.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { ChartSet } from "../../src/charts/chart-data.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import { type CloudK6, startCloudK6 } from "../support/cloud-k6.ts";
import { type CloudServer, startCloudServer } from "../support/cloud-server.ts";
import {
  eventsOf,
  type LiveStream,
  openLiveStream,
  type ShownValues,
  shownValues,
} from "../support/live-stream.ts";
import { startPrometheus, type Prometheus } from "../support/prometheus.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTools, findTool } from "../support/tools.ts";

const patience = { timeout: 60_000, interval: 100 };

let prometheus: Prometheus;
/** Between the server and Prometheus. */
let wayToStore: TcpProxy;
let server: CloudServer;
let shop: Shop;
let folder: TemporaryFolder;

describeWithTools(["prometheus-3", "k6-2"], "who looks at a run live", () => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program: findTool("prometheus-3")! });
    wayToStore = await startTcpProxy(() => prometheus.url);
    server = await startCloudServer({
      writeUrl: `${wayToStore.url}/api/v1/write`,
      flags: ["--run-timeout", "10s"],
    });
    shop = await startShop();
    folder = await createTemporaryFolder();
  });
  afterAll(async () => {
    for (const one of [server, wayToStore, prometheus, shop, folder]) {
      await one?.[Symbol.asyncDispose]();
    }
  });

  it("sees it move, loses nothing over a cut connection, and is told when it is over", async () => {
    await using k6 = await startLoad("cut-connection", 12);
    const id = await k6.runId;
    // Whose clock is ahead keeps nothing from the others.
    await using ahead = openLiveStream(
      `${server.url}/api/v1/runs/${id}/live?after=99999999999`,
      server.adminToken,
    );
    await vi.waitFor(() => expect(eventsOf(ahead, "run")).not.toEqual([]), patience);
    await using wayToServer = await startTcpProxy(() => server.url);
    await using steady = openLiveStream(`${server.url}/api/v1/runs/${id}/live`, server.adminToken);
    const before = Math.floor(Date.now() / 1_000) - 5;
    await using cut = openLiveStream(
      `${wayToServer.url}/api/v1/runs/${id}/live?after=${before}`,
      server.adminToken,
    );
    await haveCharts(cut, 4);
    expect((await server.run(id)).state).toBe("running");
    await wayToServer.refuse();
    const missedFrom = newestOf(steady);
    await vi.waitFor(() => expect(newestOf(steady)).toBeGreaterThan(missedFrom + 3), patience);
    await wayToServer.comeBack();
    await Promise.all([steady.closed, cut.closed]);

    expect((await k6.result).exitCode).toBe(0);
    const run = await server.run(id);
    for (const stream of [steady, cut]) {
      expect(eventsOf(stream, "run").at(-1)?.data).toEqual(run);
      expect(eventsOf(stream, "tables").length).toBeGreaterThan(1);
      expect(eventsOf(stream, "end")).toHaveLength(1);
      expect(eventsOf(stream, "store")).toEqual([]);
      expect(eventsOf(stream, "reset")).toEqual([]);
      await expectAllSeen(stream, run);
    }
    expect(eventsOf(steady, "run").map(({ data }) => data.state)).toContain("running");
    // What it had seen, it was not sent again, but for the seconds that may have changed.
    const known = newestOf({ events: cut.events.filter(({ connection }) => connection === 1) });
    const [first] = eventsOf(cut, "charts").filter(({ connection }) => connection > 1);
    expect(first?.data.times[0]).toBeGreaterThan(known - 11);
    sayHowFresh(steady);
  });

  it("is told that the store is away and back, and then sees what was delivered late", async () => {
    await using k6 = await startLoad("store-away", 60);
    const id = await k6.runId;
    await using stream = openLiveStream(`${server.url}/api/v1/runs/${id}/live`, server.adminToken);
    await haveCharts(stream, 3);
    await wayToStore.refuse();
    await vi.waitFor(() => expect(eventsOf(stream, "store")).not.toEqual([]), patience);
    const awaySince = newestOf(stream);
    const { message = "" } = eventsOf(stream, "store")[0]?.data ?? {};
    expect(message).toContain(new URL(wayToStore.url).host);
    // The run goes on, and so does what its record says.
    await vi.waitFor(() => expect(Date.now() / 1_000).toBeGreaterThan(awaySince + 6), patience);
    await wayToStore.comeBack();
    await vi.waitFor(() => expect(newestOf(stream)).toBeGreaterThan(awaySince + 6), patience);
    const isBack = eventsOf(stream, "store").map(({ data }) => data === null);
    expect(isBack.indexOf(true)).toBe(isBack.length - 1);
    k6.kill("SIGINT");
    await stream.closed;

    const run = await server.run(id);
    expect(run.state).toBe("aborted_by_user");
    expect(eventsOf(stream, "run").at(-1)?.data).toEqual(run);
    expect(eventsOf(stream, "end")).toHaveLength(1);
    await expectAllSeen(stream, run);
  });

  it("costs the store no more with fifty others, and is cut off when its token is revoked", async () => {
    await using k6 = await startLoad("fifty-viewers", 60);
    const id = await k6.runId;
    const url = `${server.url}/api/v1/runs/${id}/live`;
    await using first = openLiveStream(url, server.adminToken);
    await haveCharts(first, 2);
    const alone = await questionsDuring(first, 4);

    const created = await server.ask("POST", "/tokens", { name: "guest", role: "read" });
    const { token, record } = (await created.json()) as { token: string; record: { id: number } };
    const others = Array.from({ length: 49 }, () => openLiveStream(url, server.adminToken));
    await using guest = openLiveStream(url, token);
    await Promise.all([...others, guest].map((stream) => haveCharts(stream, 1)));
    const metrics = await (await fetch(`${server.url}/metrics`, asAdmin())).text();
    expect(metrics).toMatch(/^plimsoll_server_live_streams 51$/m);
    expect(metrics).toMatch(/^plimsoll_server_live_runs 1$/m);
    const together = await questionsDuring(first, 4);
    expect(alone).toBeGreaterThan(0);
    expect(together).toBeLessThan(2 * alone);

    await server.ask("DELETE", `/tokens/${record.id}`);
    await guest.closed;
    expect(guest.answers).toEqual([200, 401]);

    // Nobody says that this one is over.
    k6.kill("SIGKILL");
    await Promise.all([first, ...others].map(({ closed }) => closed));
    const run = await server.run(id);
    expect(run.state).toBe("timed_out");
    for (const stream of [first, ...others]) {
      expect(stream.answers).toEqual([200]);
      expect(eventsOf(stream, "run").at(-1)?.data).toEqual(run);
    }
    await expectAllSeen(first, run);
  });

  it("is told at once that a run is over that ended long ago, and sees the end that its maker says", async () => {
    const created = await server.ask("POST", "/runs", { test: "made by hand" });
    const { run } = (await created.json()) as { run: RunView };
    const url = `${server.url}/api/v1/runs/${run.id}/live`;
    await using early = openLiveStream(url, server.adminToken);
    await vi.waitFor(() => expect(eventsOf(early, "run")).toHaveLength(1), patience);
    await server.ask("POST", `/runs/${run.id}/end`, { state: "aborted_by_system", reason: "x" });
    await early.closed;
    expect(eventsOf(early, "run").at(-1)?.data.state).toBe("aborted_by_system");
    await using late = openLiveStream(url, server.adminToken);
    await late.closed;
    expect(late.events.map(({ name }) => name)).toContain("end");
    await using nowhere = openLiveStream(`${server.url}/api/v1/runs/4711/live`, server.adminToken);
    await nowhere.closed;
    expect(nowhere.answers).toEqual([404]);
  });

  it("comes back to a server that was started again, which ends in order meanwhile", async () => {
    await using k6 = await startLoad("restart", 60);
    const id = await k6.runId;
    await using stream = openLiveStream(`${server.url}/api/v1/runs/${id}/live`, server.adminToken);
    await haveCharts(stream, 3);
    server.process.kill("SIGTERM");
    expect((await server.process.result).exitCode).toBe(0);
    await server.restart();
    const before = newestOf(stream);
    await vi.waitFor(() => expect(newestOf(stream)).toBeGreaterThan(before + 3), patience);
    k6.kill("SIGINT");
    await stream.closed;
    await expectAllSeen(stream, await server.run(id));
  });
});

async function startLoad(test: string, seconds: number): Promise<CloudK6> {
  const home = join(folder.path, test);
  await mkdir(home);
  return startCloudK6({
    program: findTool("k6-2")!,
    flow: "k6 run --out cloud",
    folder: home,
    env: await server.k6Environment(),
    scriptEnv: { TEST: test, BASE_URL: shop.url, DURATION: `${seconds}s`, PAUSE: "0.1" },
  });
}

function asAdmin(): { headers: Readonly<Record<string, string>> } {
  return { headers: { Authorization: `Bearer ${server.adminToken}` } };
}

/** The newest second that it has seen; 0 before the first. */
function newestOf(stream: Pick<LiveStream, "events">): number {
  return eventsOf(stream, "charts").reduce((newest, { id = 0 }) => Math.max(newest, id), 0);
}

async function haveCharts(stream: LiveStream, count: number): Promise<void> {
  await vi.waitFor(
    () => expect(eventsOf(stream, "charts").length).toBeGreaterThanOrEqual(count),
    patience,
  );
}

/** How many queries Prometheus was asked while so many seconds came. */
async function questionsDuring(stream: LiveStream, seconds: number): Promise<number> {
  const ask = async (): Promise<number> => {
    const text = await (await fetch(`${prometheus.url}/metrics`)).text();
    const counts = text.matchAll(
      /^prometheus_http_requests_total\{.*handler="\/api\/v1\/query(?:_range)?"\} (\d+)/gm,
    );
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const from = newestOf(stream);
  const before = await ask();
  await vi.waitFor(() => expect(newestOf(stream)).toBeGreaterThanOrEqual(from + seconds), patience);
  return (await ask()) - before;
}

/** What the events show is what the server says of the run, for every second of it since the first that was seen. */
async function expectAllSeen(stream: LiveStream, run: RunView): Promise<void> {
  const seen = eventsOf(stream, "charts").map(({ data }) => data);
  const from = Math.min(...seen.filter(({ set }) => set === "run").map(({ times }) => times[0]!));
  const answer = await server.ask("GET", `/runs/${run.id}/charts?set=run&step=1`);
  const whole = (await answer.json()) as ChartSet;
  // Of a generator that falls silent, nobody knows where its run ends until it is timed out.
  const span = { from, to: whole.times.at(-1) ?? 0 };
  const shown = within(span, shownValues(seen));
  expect(shown).toEqual(within(span, shownValues([whole])));
  expect(Object.keys(shown).length).toBeGreaterThan(50);
}

function within(
  { from, to }: { readonly from: number; readonly to: number },
  values: ShownValues,
): Readonly<Record<string, number>> {
  const isWithin = (key: string): boolean => {
    const time = Number(key.split(" / ")[2]);
    return time >= from && time <= to;
  };
  return Object.fromEntries([...values].filter(([key]) => isWithin(key)));
}

/** For whoever reads the test's output: no machine has to be quick. */
function sayHowFresh(stream: LiveStream): void {
  const ages = eventsOf(stream, "charts").flatMap(({ id, atMs, data }) =>
    data.set === "run" && id !== undefined ? [atMs - id * 1_000] : [],
  );
  const [p50 = NaN, p95 = NaN] = [0.5, 0.95].map(
    (q) => ages.toSorted((a, b) => a - b)[Math.ceil(q * ages.length) - 1],
  );
  process.stdout.write(`live feed: a second is seen ${p50} ms after its end (p95 ${p95} ms)\n`);
}
