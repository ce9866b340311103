/**
 * Whatever goes wrong between Plimsoll and a store, the store's totals are exact, or what is missing is counted and
 * named; and no series ever goes out of order. The stores are real, the faults are a proxy's or the store's own end.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";
import { type Fault, type FaultyProxyOptions, startFaultyProxy } from "../support/faulty-proxy.ts";
import { type PlimsollProcess, runPlimsoll, startPlimsoll, words } from "../support/plimsoll.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { writeSeries } from "../support/write-series.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/**
 * Far enough back that no run's event time gets to now, where it is fed twenty times as fast as time goes by and a store
 * takes its time to start; and within the hour that a store takes.
 */
const startMs = Math.floor(Date.now() / 1_000 - 1_800) * 1_000;

/** One second of a run: a request in each of so many series, and a few waits. */
function linesOf(second: number, seriesCount: number): string {
  const time = new Date(startMs + second * 1_000 + 500).toISOString();
  const line = (metric: string, value: number, n: number) =>
    `${JSON.stringify({ metric, type: "Point", data: { time, value, tags: { n: `${n}` } } })}\n`;
  return Array.from(
    { length: seriesCount },
    (_, n) => line("http_reqs", 1, n) + (n < 10 ? line("http_req_waiting", second + n, n) : ""),
  ).join("");
}

interface Run {
  readonly testid: string;
  readonly args: readonly string[];
  readonly report: () => Promise<RunReport>;
}

let runs = 0;
function newRun(writeUrl: string, protocol: string, ...more: readonly string[]): Run {
  const testid = `faults-${++runs}`;
  const path = join(folder.path, `${testid}.report.json`);
  return {
    testid,
    args: [
      ...words(`--testid ${testid} --test faults --remote-write-protocol ${protocol}`),
      // What is sent is then what can be counted in the store.
      ...words(`--trends native --no-preflight --no-stale-markers --report ${path}`),
      `--out=prometheus-rw=${writeUrl}`,
      ...more,
    ],
    report: () => readReport(path),
  };
}

/** Ingests so many seconds of so many series in one go. */
async function ingest(run: Run, seconds: number, seriesCount: number) {
  const file = `${run.testid}.json`;
  const lines = Array.from({ length: seconds }, (_, second) => linesOf(second, seriesCount));
  await writeFile(join(folder.path, file), lines.join(""));
  return await runPlimsoll(["ingest", file, ...run.args], { folder: folder.path });
}

/** Gives a run that goes on a second of samples every `everyMs`, until it is stopped; then says how many. */
function feed(plimsoll: PlimsollProcess, everyMs: number, seriesCount: number) {
  let seconds = 0;
  const timer = setInterval(() => plimsoll.stdin.write(linesOf(seconds++, seriesCount)), everyMs);
  return {
    /** Seconds of samples given so far. */
    get seconds() {
      return seconds;
    },
    async until(isEnough: () => boolean): Promise<void> {
      await expect.poll(isEnough, { timeout: 30_000, interval: 10 }).toBe(true);
    },
    stop(): number {
      clearInterval(timer);
      plimsoll.stdin.end();
      return seconds;
    },
  };
}

/** Nothing is missing: the store has every request and as many points as were encoded. */
async function expectExact(store: Prometheus, run: Run, requests: number): Promise<void> {
  const report = await run.report();
  expectAccounted(report);
  expect(report.points).toMatchObject({ pending: 0, rejected: {} });
  expect(report.points.delivered).toBe(report.points.encoded);
  expect(await stored(store, run, report)).toEqual({ requests, points: report.points.encoded });
}

async function stored(store: Prometheus, { testid }: Run, { lastPointMs }: RunReport) {
  const ask = (promql: string, timeMs: number) => store.query(promql, timeMs / 1_000);
  // The run's own series come a millisecond after the last point of all others.
  const endMs = lastPointMs + 1_000;
  const all = `last_over_time({testid="${testid}"}[1h])`;
  let points = 0;
  // One name at a time: `count_over_time` drops it, and series that differ in nothing else would clash.
  for (const { metric } of await ask(`group by (__name__) (${all})`, endMs)) {
    const one = `${metric["__name__"]}{testid="${testid}"}`;
    const [counted] = await ask(`sum(count_over_time(${one}[1h]))`, endMs);
    points += counted?.value ?? 0;
  }
  const [total] = await ask(`sum(k6_http_reqs_total{testid="${testid}"})`, lastPointMs);
  return { requests: total?.value, points };
}

const stores = [
  {
    tool: "prometheus-2",
    protocol: "1",
    flags: ["--enable-feature=native-histograms"],
  },
  { tool: "prometheus-3", protocol: "2", flags: [] },
] as const;

interface Row {
  readonly name: string;
  readonly fault: FaultyProxyOptions["fault"];
}

/** The fault for each of these requests, in order of their numbers. */
const at =
  (...numbers: readonly number[]) =>
  (toFault: () => Fault): FaultyProxyOptions["fault"] =>
  (n) =>
    numbers.includes(n) ? toFault() : undefined;

const rows: readonly Row[] = [
  { name: "503", fault: at(0, 3, 4, 5, 9)(() => ({ status: 503 })) },
  {
    name: "429 with Retry-After in seconds",
    fault: at(3)(() => ({ status: 429, headers: { "Retry-After": "1" } })),
  },
  {
    name: "429 with Retry-After as a date",
    fault: at(3)(() => ({
      status: 429,
      headers: { "Retry-After": new Date(Date.now() + 2_000).toUTCString() },
    })),
  },
  { name: "a hang", fault: at(4)(() => "hang") },
  {
    name: "a connection cut in the middle of a request's body",
    fault: at(0, 4)(() => "cut_request"),
  },
  {
    name: "a request that is stored, and whose answer is lost",
    fault: at(2, 6)(() => "lose_answer"),
  },
  { name: "a connection cut in the middle of an answer", fault: at(2, 6)(() => "cut_answer") },
];

for (const { tool, protocol, flags } of stores) {
  describeWithTool(tool, `remote write ${protocol}.0 to ${tool}`, (program) => {
    let store: Prometheus;
    beforeAll(async () => {
      store = await startPrometheus({ program, flags });
    });
    afterAll(() => store[Symbol.asyncDispose]());

    it.each(rows)("loses nothing and repeats nothing: $name", async ({ fault }) => {
      await using proxy = await startFaultyProxy({ target: store.writeUrl, fault });
      const run = newRun(proxy.url, protocol, "--remote-write-timeout", "500ms");
      const { exitCode, stderr } = await ingest(run, 10, 40);
      expect(exitCode, stderr).toBe(0);
      await expectExact(store, run, 10 * 40);
      const faults = proxy.requests.filter(({ end }) => end !== 200 && end !== 204);
      expect(faults.length).toBeGreaterThan(0);
      expect(proxy.violations).toEqual([]);
    });

    it("gets through a proxy that lets only small requests pass", async () => {
      const limitBytes = 2_000;
      await using proxy = await startFaultyProxy({
        target: store.writeUrl,
        fault: (_, { length }) => (length > limitBytes ? { status: 413 } : undefined),
      });
      const run = newRun(proxy.url, protocol);
      const { exitCode, stderr } = await ingest(run, 10, 600);
      expect(exitCode, stderr).toBe(0);
      await expectExact(store, run, 10 * 600);
      const refused = proxy.requests.filter(({ end }) => typeof end === "object");
      expect(refused.length).toBeGreaterThan(0);
      // From 14 intervals of 600 series each: the size that passes is remembered.
      expect(refused.length).toBeLessThan(10);
      expect(proxy.violations).toEqual([]);
    });

    it("loses of thousands of series only the one that the store refuses, and names it", async () => {
      await using proxy = await startFaultyProxy({
        target: store.writeUrl,
        fault: () => undefined,
      });
      const run = newRun(proxy.url, protocol);
      const { testid } = run;
      // Somebody else has written to it, later than all of the run.
      const bad = { testid, test: "faults", n: "1234" };
      await writeSeries(store.writeUrl, [
        { name: "k6_http_reqs_total", labels: bad, points: [[Date.now(), 1e6]] },
      ]);
      const { exitCode, stderr } = await ingest(run, 5, 3_000);
      expect(exitCode, stderr).toBe(3);
      expect(stderr).toContain("the receiver refused points (http_400): HTTP 400: ");
      expect(stderr).toMatch(/out of order sample.*k6_http_reqs_total.*n="1234"/);

      const report = await run.report();
      expectAccounted(report);
      const { points, lastPointMs } = report;
      const pointsOf = async (n: string) =>
        (
          await store.query(
            `count_over_time(k6_http_reqs_total{testid="${testid}",n="${n}"}[1h])`,
            lastPointMs / 1_000,
          )
        )[0]?.value;
      expect(points.pending).toBe(0);
      expect(points.rejected).toEqual({ http_400: await pointsOf("1235") });
      expect(await pointsOf("1234")).toBeUndefined();
      expect(await stored(store, run, report)).toEqual({
        requests: 5 * 2_999,
        points: points.delivered,
      });
      expect(proxy.violations).toEqual([]);
    });

    // While the receiver is away, 60 s of samples come, in 4 s: what grows with an outage is the spool, by the
    // samples' own time. The waits between tries are longest after 13 s, whatever comes then; that they never end is
    // a test of test/unit/send/delivery-table.test.ts.
    it("has all of it when it was down for a minute in the middle of a run", async () => {
      await using proxy = await startFaultyProxy({
        target: store.writeUrl,
        fault: () => undefined,
      });
      const run = newRun(proxy.url, protocol);
      await using plimsoll = startPlimsoll(["ingest", "-", ...run.args], {
        folder: folder.path,
        isStdinOpen: true,
      });
      const feeding = feed(plimsoll, 65, 40);
      await feeding.until(() => proxy.requests.length > 5);
      await proxy.goDown();
      const downAt = feeding.seconds;
      await feeding.until(() => feeding.seconds > downAt + 60);
      const before = proxy.requests.length;
      await proxy.comeUp();
      await feeding.until(() => proxy.requests.length > before);
      const seconds = feeding.stop();
      const { exitCode, stderr } = await plimsoll.result;
      expect(exitCode, stderr).toBe(0);
      await expectExact(store, run, seconds * 40);
      expect(proxy.violations).toEqual([]);
    });

    it("has all of it when it was killed and started again five times during a run", async () => {
      await using own = await startPrometheus({ program, flags });
      // Without a proxy: what is refused is the connection, and what is cut is cut by the end of the process.
      const run = newRun(own.writeUrl, protocol);
      await using plimsoll = startPlimsoll(["ingest", "-", ...run.args], {
        folder: folder.path,
        isStdinOpen: true,
      });
      const feeding = feed(plimsoll, 50, 40);
      const total = `sum(last_over_time(k6_http_reqs_total{testid="${run.testid}"}[1h]))`;
      const newest = async () => (await own.query(total))[0]?.value ?? 0;
      for (let restart = 1; restart <= 5; restart++) {
        // It has got something since it was started.
        const before = await newest();
        await expect.poll(newest, { timeout: 20_000 }).toBeGreaterThan(before);
        await own.restart();
      }
      const seconds = feeding.stop();
      const { exitCode, stderr } = await plimsoll.result;
      expect(exitCode, stderr).toBe(0);
      await expectExact(own, run, seconds * 40);
    });

    it("has all of it when credentials that were refused are put right during a run", async () => {
      let isLocked = false;
      await using proxy = await startFaultyProxy({
        target: store.writeUrl,
        fault: () => (isLocked ? { status: 401, body: "token expired" } : undefined),
      });
      const run = newRun(proxy.url, protocol);
      await using plimsoll = startPlimsoll(["ingest", "-", ...run.args], {
        folder: folder.path,
        isStdinOpen: true,
      });
      const feeding = feed(plimsoll, 50, 40);
      await feeding.until(() => proxy.requests.length > 5);
      isLocked = true;
      await plimsoll.waitFor(
        "the receiver takes nothing (http_401): HTTP 401: token expired; the user name, password or token was refused",
      );
      const lockedAt = feeding.seconds;
      await feeding.until(() => feeding.seconds > lockedAt + 10);
      isLocked = false;
      await feeding.until(() => feeding.seconds > lockedAt + 20);
      // The end of a run does not wait for the next half minute.
      const seconds = feeding.stop();
      const { exitCode, stderr } = await plimsoll.result;
      expect(exitCode, stderr).toBe(0);
      await expectExact(store, run, seconds * 40);
      expect(proxy.requests.filter(({ end }) => typeof end === "object")).toHaveLength(1);
      expect(proxy.violations).toEqual([]);
    });
  });
}
