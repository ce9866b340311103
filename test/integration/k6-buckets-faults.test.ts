/**
 * `plimsoll run` as it is by default, with k6's samples in buckets, when something goes wrong: k6 or Plimsoll is killed,
 * Plimsoll or the store is away, the disk is full, the series have no end. What has come is in the store, and the run says
 * how it ended.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";
import { type PlimsollProcess, runPlimsoll, startPlimsoll } from "../support/plimsoll.ts";
import { receivedValue } from "../support/received-points.ts";
import { startReceiverServer, storedAnswer } from "../support/receiver-server.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { type RunStore, storeKinds } from "../support/stores.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { itWithTmpfs, mountTmpfs } from "../support/tmpfs.ts";
import { describeWithTool } from "../support/tools.ts";

const prometheus3 = storeKinds.find(({ tool }) => tool === "prometheus-3")!;

/** Requests without a pause, each with a URL of its own where the script is told so. */
const script = `
  import http from "k6/http";
  import { sleep } from "k6";
  import exec from "k6/execution";
  export const options = { vus: 2, duration: __ENV.DURATION };
  export default function () {
    const query = __ENV.UNIQUE ? "?visit=" + exec.scenario.iterationInTest : "";
    http.get(__ENV.BASE_URL + "/products" + query);
    sleep(0.005);
  }
`;

let shop: Shop;
let folder: TemporaryFolder;
let store: RunStore;

describeWithTool("prometheus-3", "samples in buckets, when something goes wrong", (program) => {
  beforeAll(async () => {
    shop = await startShop();
    folder = await createTemporaryFolder();
    store = await prometheus3.start(program);
    await writeFile(join(folder.path, "visits.js"), script);
  });
  afterAll(async () => {
    for (const one of [store, shop, folder]) await one[Symbol.asyncDispose]();
  });

  for (const tool of ["k6-2", "k6-1"] as const) {
    describeWithTool(tool, `of ${tool}`, (k6) => {
      it("has and accounts for all that k6 had handed over when it was killed", async () => {
        const testid = `killed-${tool}`;
        await using plimsoll = start(k6, testid, { DURATION: "60s" });
        // More than the second that it always takes.
        await hasRequests(testid, 500);
        process.kill(await k6Of(plimsoll), "SIGKILL");

        const { exitCode, stderr } = await plimsoll.result;
        expect(exitCode, stderr).toBe(137);
        const report = await reportOf(testid);
        expect(report.state).toBe("aborted_by_system");
        expectAccounted(report);
        expect(report.points.delivered).toBe(report.points.encoded);
        expect(stderr).toContain("aborted_by_system");

        const requests = await countOf(testid, report);
        const made = await requestsOfK6(testid);
        expect(requests).toBeGreaterThan(0);
        expect(requests).toBeLessThanOrEqual(made.length);
        // What k6 had not handed over is of its last two seconds, and one more for a push that was on its way.
        expect(requests).toBeGreaterThanOrEqual(withoutLast(made, 3_000));
      });

      it("delivers by replay what Plimsoll had taken when it was killed, and leaves no k6 behind", async () => {
        const testid = `left-${tool}`;
        await using plimsoll = start(k6, testid, { DURATION: "60s" });
        await hasRequests(testid, 500);
        const pid = await k6Of(plimsoll);
        const killedMs = Date.now();
        plimsoll.kill("SIGKILL");
        await plimsoll.result;
        // Its log has nowhere to go, so that it ends at the first line: that a push was not taken.
        await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);

        const replay = ["replay", "--all", `--out=prometheus-rw=${store.writeUrl}`];
        const sent = await runPlimsoll(replay, { folder: folder.path });
        expect([0, 2], sent.stderr).toContain(sent.exitCode);
        const counter = `last_over_time(k6_http_reqs_total{testid="${testid}"}[5m])`;
        const [stored] = await store.query(`sum(${counter})`);
        const made = await requestsOfK6(testid);
        expect(stored?.value).toBeLessThanOrEqual(made.length);
        // k6 hands a second over when the next is over, and that is closed by the one behind it.
        const old = made.filter((timeMs) => timeMs < killedMs - 4_000);
        expect(old.length).toBeGreaterThan(0);
        expect(stored?.value).toBeGreaterThanOrEqual(old.length);
      });

      it("has all of a run that began while the store was away", async () => {
        const testid = `early-${tool}`;
        await using proxy = await startTcpProxy(() => new URL(store.writeUrl).origin);
        await proxy.refuse();
        const writeUrl = store.writeUrl.replace(new URL(store.writeUrl).origin, proxy.url);
        // Nobody says which trends it takes: classic ones would mean lines.
        const blind = ["--no-preflight", "--trends=native", "--remote-write-protocol=2"];
        await using plimsoll = start(k6, testid, { DURATION: "8s" }, blind, writeUrl);
        await plimsoll.waitFor(/receiver away .* [1-9][\d ]* pending/);
        await k6Of(plimsoll);
        await proxy.comeBack();

        const { exitCode, stderr } = await plimsoll.result;
        expect(exitCode, stderr).toBe(0);
        const report = await reportOf(testid);
        expectAccounted(report);
        expect(report.points).toMatchObject({ delivered: report.points.encoded, pending: 0 });
        expect(await countOf(testid, report)).toBe((await requestsOfK6(testid)).length);
      });

      itWithTmpfs(
        "lets k6 run on when the disk is full, and counts what found no room",
        async () => {
          const testid = `full-${tool}`;
          await using disk = await mountTmpfs(128 * 1024);
          let isAway = false;
          await using receiver = await startReceiverServer({
            defaultAnswer: (request) => (isAway ? { status: 503 } : storedAnswer(request)),
          });
          const small = [`--spool-dir=${disk.path}`];
          await using plimsoll = start(k6, testid, { DURATION: "8s" }, small, receiver.url);
          await receiver.waitForRequests(3);
          await k6Of(plimsoll);
          isAway = true;
          const filler = join(disk.path, "filler");
          await expect(writeFile(filler, Buffer.alloc(2 ** 20))).rejects.toThrow("ENOSPC");
          await plimsoll.waitFor(/ENOSPC: no space left on device/);
          await rm(filler);
          isAway = false;

          const { exitCode, stderr } = await plimsoll.result;
          expect(exitCode, stderr).toBe(3);
          const report = await reportOf(testid);
          expectAccounted(report);
          expect(report.points.rejected["spool_full"]).toBeGreaterThan(0);
          expect(report.points.pending).toBe(0);
          // Totals count from the start of the run, so that the last one is whole.
          expect(report.reconciliation?.differences).toEqual([]);
          const name = { __name__: "k6_http_reqs_total" };
          expect(receivedValue(receiver.requests, name)).toBe((await requestsOfK6(testid)).length);
        },
      );

      it("loses nothing when it takes pushes two seconds late", async () => {
        const testid = `late-${tool}`;
        await using plimsoll = start(k6, testid, { DURATION: "6s" });
        await hasRequests(testid, 1);
        plimsoll.kill("SIGSTOP");
        await delay(2_000);
        plimsoll.kill("SIGCONT");

        const { exitCode, stderr } = await plimsoll.result;
        expect(exitCode, stderr).toBe(0);
        const report = await reportOf(testid);
        expectAccounted(report);
        expect(report.reconciliation?.differences).toEqual([]);
        expect(await countOf(testid, report)).toBe((await requestsOfK6(testid)).length);
      });

      it("holds the limit of series against unique URLs, and counts every request", async () => {
        const testid = `unique-${tool}`;
        const limits = ["--max-series", "100"];
        await using plimsoll = start(k6, testid, { DURATION: "3s", UNIQUE: "1" }, limits);
        const { exitCode, stderr } = await plimsoll.result;
        expect(exitCode, stderr).toBe(0);
        const report = await reportOf(testid);
        expectAccounted(report);
        expect(report.reconciliation?.differences).toEqual([]);
        const made = (await requestsOfK6(testid)).length;
        expect(made).toBeGreaterThan(200);
        expect(await countOf(testid, report)).toBe(made);
        const others = `k6_http_reqs_total{testid="${testid}",name="(other)"}`;
        expect((await ask(others, report))[0]?.value).toBeGreaterThan(100);
        const [series] = await ask(`count({__name__=~"k6_.+",testid="${testid}"})`, report);
        // Beyond the limit, each metric has its one series for all others.
        expect(series?.value).toBeLessThan(150);
      });
    });
  }
});

function start(
  k6: string,
  testid: string,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
  writeUrl = store.writeUrl,
): PlimsollProcess {
  const scriptEnv = Object.entries({ ...env, BASE_URL: shop.url });
  return startPlimsoll(
    [
      "run",
      join(folder.path, "visits.js"),
      `--k6=${k6}`,
      `--testid=${testid}`,
      `--report=${join(folder.path, `${testid}.report.json`)}`,
      `--out=prometheus-rw=${writeUrl}`,
      `--out=json=${join(folder.path, `${testid}.json`)}`,
      ...scriptEnv.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...more,
    ],
    { folder: folder.path },
  );
}

/** The pid of the k6 that it runs, which hands over buckets. */
async function k6Of({ pid }: PlimsollProcess): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  const child = Number(children.trim());
  const words = (await readFile(`/proc/${child}/cmdline`, "utf8")).split("\0");
  expect(words.slice(1, 5)).toEqual(["run", "--quiet", "--out", "cloud"]);
  return child;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // There is none of that number.
    return false;
  }
}

/** How many of the times are not of the last so many milliseconds. */
function withoutLast(timesMs: readonly number[], lastMs: number): number {
  const endMs = timesMs.at(-1) ?? NaN;
  return timesMs.filter((timeMs) => timeMs < endMs - lastMs).length;
}

const reportOf = (testid: string): Promise<RunReport> =>
  readReport(join(folder.path, `${testid}.report.json`));

const ask = (promql: string, { lastPointMs }: RunReport): ReturnType<RunStore["query"]> =>
  store.query(promql, lastPointMs / 1_000);

async function countOf(testid: string, report: RunReport): Promise<number> {
  const [sum] = await ask(`sum(k6_http_reqs_total{testid="${testid}"})`, report);
  return sum?.value ?? 0;
}

/** Until the store has them. */
async function hasRequests(testid: string, least: number): Promise<void> {
  const counted = async (): Promise<number> =>
    (await store.query(`sum(k6_http_reqs_total{testid="${testid}"})`))[0]?.value ?? 0;
  await expect.poll(counted, { timeout: 30_000 }).toBeGreaterThanOrEqual(least);
}

/** The times of the requests that k6 itself has written down, in their order. A kill may have cut the last line. */
async function requestsOfK6(testid: string): Promise<number[]> {
  const lines = (await readFile(join(folder.path, `${testid}.json`), "utf8")).split("\n");
  return lines
    .filter((line) => line.startsWith('{"metric":"http_reqs","type":"Point"') && line.endsWith("}"))
    .map((line) => {
      const { data } = JSON.parse(line) as { data: { time: string } };
      return Date.parse(data.time);
    })
    .sort((a, b) => a - b);
}
