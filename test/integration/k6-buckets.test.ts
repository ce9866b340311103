/**
 * `--k6-samples buckets`: what k6 sums up for its cloud is as right in the store as its samples by themselves, but for
 * what docs/metrics.md says of it. k6's side is its summary and its samples, which it writes to a file beside.
 */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadEnd } from "../../src/cli/load.ts";
import { prepareScriptLoad } from "../../src/cli/load-script.ts";
import { quantileRange, toKey } from "../support/k6-results.ts";
import type { QueryResult } from "../support/query-api.ts";
import { recordRun, type RecordedRun, type RecordOptions } from "../support/recorded-run.ts";
import { expectAccounted } from "../support/run-report.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { type RunStore, storeKinds } from "../support/stores.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const examples = [
  { script: "checkout.js", env: { DURATION: "4s" } },
  { script: "checks-and-groups.js", env: { FAIL_THRESHOLD: "1" } },
  { script: "custom-metrics.js", env: {} },
] as const;

/** Of k6's buckets: a microsecond of a time, and 0.001 of what is none. */
const resolution = 0.001;

const prometheus3 = storeKinds.find(({ tool }) => tool === "prometheus-3")!;

let shop: Shop;
let folder: TemporaryFolder;
let store: RunStore;

describeWithTool("prometheus-3", "samples in buckets", (program) => {
  beforeAll(async () => {
    shop = await startShop();
    folder = await createTemporaryFolder();
    store = await prometheus3.start(program);
  });
  afterAll(async () => {
    for (const one of [store, shop, folder]) await one[Symbol.asyncDispose]();
  });

  for (const tool of ["k6-2", "k6-1"] as const) {
    describeWithTool(tool, `of ${tool}`, (k6) => {
      for (const { script, env } of examples) {
        describe(script, () => {
          const testid = `buckets-${tool}-${script.replace(".js", "")}`;
          let run: RecordedRun;
          const ask = (promql: string): Promise<QueryResult[]> =>
            store.query(promql, run.report.lastPointMs / 1_000);
          beforeAll(async () => {
            run = await record({ k6, testid, script, env, samples: "buckets" });
          });

          it("ends as k6 does, accounts for everything, and reconciles with k6's summary", async () => {
            const { result, report, spoolDirectory } = run;
            const hasFailed = run.k6.thresholds().some(({ ok }) => !ok);
            expect(result.exitCode, result.stderr).toBe(hasFailed ? 99 : 0);
            expectAccounted(report);
            expect(report.reconciliation?.differences).toEqual([]);
            expect(report.reconciliation?.compared).toBe(run.k6.counts().size);
            expect(report.points.delivered).toBe(report.points.encoded);
            expect(await readdir(spoolDirectory)).toEqual([]);
            expect(result.stderr).not.toContain("output=cloud");
          });

          it("has every count, to the last one, by tag as well", async () => {
            const tags = ["scenario", "group", "name", "status", "check"];
            const by = ["__name__", "condition", ...tags].join();
            const sums = `sum by (${by}) ({__name__=~"k6_.+_total",testid="${testid}"})`;
            const stored = (await ask(sums)).map(
              ({ metric, value }) =>
                [
                  toKey(metric["__name__"] ?? "", metric["condition"], tags, metric),
                  rounded(value),
                ] as const,
            );
            const expected = [...run.k6.countsBy(tags)].map(
              ([key, value]) => [key, rounded(value)] as const,
            );
            expect(expected.length).toBeGreaterThan(8);
            expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(expected));
          });

          it("has every observation of each trend, their sum, and the last value of each gauge", async () => {
            const trends = run.k6.names("trend");
            expect(trends.length).toBeGreaterThan(7);
            for (const trend of trends) {
              const values = run.k6.observations(trend);
              const series = `sum(${run.k6.family(trend)}{testid="${testid}"})`;
              const [count] = await ask(`histogram_count(${series})`);
              expect(count?.value, trend).toBe(values.length);
              const [sum] = await ask(`histogram_sum(${series})`);
              const exact = values.reduce((total, value) => total + value, 0);
              expect(rounded(sum?.value ?? NaN), trend).toBe(rounded(exact));
            }
            for (const gauge of run.k6.names("gauge").filter((one) => one.startsWith("vus"))) {
              const [only] = await ask(`k6_${gauge}{testid="${testid}"}`);
              expect(only?.value).toBe(run.k6.lastValue(gauge));
            }
          });

          it("knows quantiles of times to within 1 % or half a microsecond", async () => {
            let compared = 0;
            for (const trend of run.k6.names("trend")) {
              const family = run.k6.family(trend);
              if (!family.endsWith("_seconds")) continue;
              const values = run.k6.observations(trend);
              for (const q of [0.1, 0.5, 0.9, 0.95, 0.99]) {
                const sum = `sum(${family}{testid="${testid}"})`;
                const [only] = await ask(`histogram_quantile(${q}, ${sum})`);
                const value = only?.value ?? NaN;
                const { low, high } = quantileRange(values, q);
                const exact = Math.min(Math.max(value, low), high);
                // Half a bucket of k6's, and one of ours.
                const allowed = Math.max(0.01 * exact, resolution / 2 / 1_000 + 0.006 * exact);
                expect(Math.abs(value - exact), `${trend} ${q}`).toBeLessThanOrEqual(allowed);
                compared++;
              }
            }
            expect(compared).toBeGreaterThanOrEqual(8 * 5);
          });

          it("says when the run was, to the second", async () => {
            for (const [which, ms] of [
              ["start", run.k6.oldestMs],
              ["end", run.k6.newestMs],
            ] as const) {
              const [only] = await store.query(
                `plimsoll_run_${which}_time_seconds{testid="${testid}"}`,
                (run.report.lastPointMs + 1) / 1_000,
              );
              expect(Math.abs((only?.value ?? NaN) - ms / 1_000), which).toBeLessThan(1);
            }
          });
        });
      }

      it("are read as lines where k6 refuses its cloud output, without being asked to", async () => {
        const script = join(folder.path, `${tool}-tags.js`);
        await writeFile(
          script,
          `import http from "k6/http";
           export const options = { systemTags: ["status", "name"], iterations: 3 };
           export default () => { http.get(__ENV.BASE_URL + "/products"); };`,
        );
        const testid = `refused-${tool}`;
        const run = await record({ k6, testid, script, env: {}, samples: "auto" });
        expect(run.result.stderr).toContain("reading every sample of this script by itself");
        expect(run.result.exitCode, run.result.stderr).toBe(0);
        expect(run.report.samples.read).toBe(run.k6.samples.length);
        expect(run.report.reconciliation?.differences).toEqual([]);
      });

      it("show no end of the load before k6 has run for good", async () => {
        const script = join(folder.path, `${tool}-endless.js`);
        await writeFile(
          script,
          'export const options = { systemTags: ["name"], iterations: 3 }; export default () => {};',
        );
        const { events, end } = await loadEvents(k6, script, []);
        expect(end.exitCode).toBe(0);
        expect(events.slice(0, 3)).toEqual(["k6", "k6", "sample"]);
        expect(events.indexOf("over")).toBe(events.length - 1);
      });

      it.each([
        { log: "comes to us", args: [], kind: "bucket" },
        {
          log: "goes elsewhere, so that a refusal would not be heard",
          args: ["--log-output", "none"],
          kind: "sample",
        },
      ])("are read by the $kind where k6's log $log", async ({ args, kind }) => {
        const script = join(folder.path, `${tool}-plain.js`);
        await writeFile(
          script,
          "export const options = { iterations: 3 }; export default () => {};",
        );
        const { events } = await loadEvents(k6, script, args);
        expect(new Set(events)).toEqual(new Set(["k6", kind, "over"]));
      });
    });
  }
});

async function record(
  options: Omit<RecordOptions, "folder" | "test" | "writeUrl">,
): Promise<RecordedRun> {
  const env = { BASE_URL: shop.url, ...options.env };
  return await recordRun({
    ...options,
    env,
    test: options.testid,
    folder: folder.path,
    writeUrl: store.writeUrl,
  });
}

/** What comes of a script where nobody says how its samples come out of k6. */
async function loadEvents(
  k6: string,
  script: string,
  args: readonly string[],
): Promise<{ events: string[]; end: LoadEnd }> {
  const events: string[] = [];
  const load = await prepareScriptLoad({
    script,
    args: ["--no-usage-report", ...args],
    k6,
    env: process.env,
    samples: "auto",
    pushIntervalMs: 1_000,
  });
  const sink = {
    series: () => 0,
    sample: () => void events.push("sample"),
    bucket: () => void events.push("bucket"),
    dropped: () => undefined,
    advanceTo: () => undefined,
  };
  const end = await load.run({
    sink,
    buckets: sink,
    isClassic: false,
    signal: new AbortController().signal,
    log: () => undefined,
    onProcess: () => void events.push("k6"),
    onLoadOver: () => void events.push("over"),
  });
  return { events, end };
}

/**
 * Whole numbers as they are; sums of fractions depend on their order, in their last digits. k6 counts nanoseconds, so a
 * sum of less than 1 000 s has no more than twelve digits, and none lies half way between two roundings.
 */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(12));
}
