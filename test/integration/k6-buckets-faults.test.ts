/**
 * `plimsoll run` with k6's samples in buckets when something goes wrong in the middle: k6 is killed, Plimsoll is away, the
 * series have no end. What has come is in the store, and the run says how it ended.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";
import { type PlimsollProcess, startPlimsoll } from "../support/plimsoll.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { type RunStore, storeKinds } from "../support/stores.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
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
        const children = await readFile(
          `/proc/${plimsoll.pid}/task/${plimsoll.pid}/children`,
          "utf8",
        );
        process.kill(Number(children.trim()), "SIGKILL");

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
        const killedMs = made.at(-1) ?? NaN;
        expect(requests).toBeGreaterThanOrEqual(
          made.filter((timeMs) => timeMs < killedMs - 3_000).length,
        );
      });

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
): PlimsollProcess {
  const scriptEnv = Object.entries({ ...env, BASE_URL: shop.url });
  return startPlimsoll(
    [
      "run",
      join(folder.path, "visits.js"),
      "--k6-samples=buckets",
      `--k6=${k6}`,
      `--testid=${testid}`,
      `--report=${join(folder.path, `${testid}.report.json`)}`,
      `--out=prometheus-rw=${store.writeUrl}`,
      `--out=json=${join(folder.path, `${testid}.json`)}`,
      ...scriptEnv.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...more,
    ],
    { folder: folder.path },
  );
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
