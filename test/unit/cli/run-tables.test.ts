import { expect, it } from "vitest";
import { toRunTable, toRunText } from "../../../src/cli/run-tables.ts";
import { toRunListItem, toRunView } from "../../../src/server/api/run-view.ts";
import type { ListedRun, RunRecord, ThresholdVerdict } from "../../../src/runs/run-record.ts";

const startMs = Date.UTC(2026, 10, 22, 5);
const verdict = (expression: string, more: Partial<ThresholdVerdict>): ThresholdVerdict => ({
  metric: "http_req_duration",
  expression,
  abortOnFail: false,
  delayAbortEvalMs: 0,
  value: undefined,
  ok: undefined,
  generatorOk: undefined,
  ...more,
});

const headline = { requests: 1_200, failedRatio: 0.012_345_6, p95Seconds: 0.005_993_1 };

const run: RunRecord = {
  id: 7,
  testid: "checkout-7f3a",
  test: "checkout",
  testId: 1,
  projectId: 1,
  source: "cloud-v1",
  state: "finished",
  result: "passed",
  history: [
    { state: "created", atMs: startMs },
    { state: "finished", atMs: startMs + 61_000, by: "ann", reason: "enough\nseen" },
  ],
  generator: "k6/2.2.0",
  startedBy: "ci",
  options: {},
  maxVus: 50,
  expectedSeconds: 90,
  thresholds: [
    verdict("avg<200", { value: 150.25, ok: true, generatorOk: true }),
    verdict("p(95)<500", { value: 500.4, ok: false, generatorOk: true }),
  ],
  tags: { release: "1.2" },
  note: "nightly",
  starred: true,
  createdMs: startMs,
  startedMs: startMs + 1_000,
  endedMs: startMs + 61_000,
  lastDataMs: startMs + 62_000,
  hasLateData: true,
  summary: [
    { metric: "http_reqs", stat: "count", value: 1_200 },
    { metric: "http_req_failed", stat: "rate", value: 0.012_345_6 },
    { metric: "iterations", stat: "count", value: 600 },
    { metric: "data_sent", stat: "count", value: 102_240 },
    { metric: "http_req_duration", stat: "count", value: 1_200 },
    { metric: "http_req_duration", stat: "p95", value: 0.005_993_1 },
    { metric: "pages", stat: "count", value: 600 },
    { metric: "pages", stat: "p95", value: 2.5 },
  ],
  stores: ["http://prom:9090/api/v1/write"],
  archiveBytes: 2_048,
  logLines: 3,
};

it("shows of a run its history, both verdicts and where they differ, the summary, and where its samples are", () => {
  expect(toRunText(toRunView(run)).split("\n")).toEqual([
    "       run  7, testid checkout-7f3a, test checkout",
    "     state  finished, passed",
    "            2026-11-22 05:00:00Z created",
    "            2026-11-22 05:01:01Z finished by ann (enough seen)",
    "   made by  k6/2.2.0, started by ci, source cloud-v1",
    "      took  01:00",
    "   starred  yes",
    "      note  k6 and Plimsoll judge differently: http_req_duration p(95)<500; k6's verdict counts",
    "      note  samples came after the end, and are stored",
    "       VUs  at most 50",
    "      tags  release=1.2",
    "      note  nightly",
    '   samples  http://prom:9090/api/v1/write, label testid="checkout-7f3a"',
    "   archive  2048 bytes",
    "       log  3 lines",
    "",
    "THRESHOLD                     OK   VALUE     K6 SAYS",
    "http_req_duration  avg<200    yes  150.3 ms  yes",
    "http_req_duration  p(95)<500  NO   500.4 ms  yes",
    "",
    "METRIC      COUNT",
    "data_sent   102 kB",
    "http_reqs     1200",
    "iterations     600",
    "",
    "METRIC             COUNT  P95",
    "http_req_duration   1200  5.99 ms",
    "pages                600      2.5",
    "",
    "METRIC           RATE",
    "http_req_failed  0.01235",
    "",
  ]);
});

it("lists a run's thresholds by the verdicts that its result is of", () => {
  const table = (record: RunRecord): string =>
    toRunTable({ runs: [toRunListItem({ ...record, headline })], total: 1, next: null });
  expect(table(run)).toMatch(/finished +passed /);
  const failed = run.thresholds.map((one) => ({ ...one, ok: true, generatorOk: false }));
  expect(table({ ...run, result: "failed", thresholds: failed })).toContain("2 of 2 failed");
  const open = run.thresholds.map(({ metric, expression }) => verdict(expression, { metric }));
  expect(table({ ...run, thresholds: open })).toMatch(/finished +- /);
});

it("lists the figures that runs are compared by, and their stars", () => {
  const table = (listed: ListedRun): string =>
    toRunTable({ runs: [toRunListItem(listed)], total: 1, next: null });
  expect(table({ ...run, headline })).toMatch(
    / 1200 +1\.23 % +5\.99 ms +k6\/2\.2\.0 +ci +★ nightly\n$/,
  );
  const none = { requests: undefined, failedRatio: undefined, p95Seconds: undefined };
  expect(table({ ...run, headline: none, starred: false })).toMatch(
    / - +- +- +k6\S+ +ci +nightly\n$/,
  );
});
