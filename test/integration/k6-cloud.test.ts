/**
 * Unmodified k6 of three versions with `plimsoll serve` for its cloud: each way to run a script, and each way in which a
 * run ends. Read back from k6's console and exit code, the server's API, and Prometheus.
 *
 * What is seen here is the matrix of docs/k6-cloud.md (`UPDATE_DOCS=1`).
 */
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { haveRequests, isOver, requestsOf } from "../support/cloud-checks.ts";
import { flows, k6Versions, startCloudK6, type CloudK6, type Flow } from "../support/cloud-k6.ts";
import { expectInMatrix } from "../support/cloud-matrix.ts";
import { startCloudServer, type CloudServer } from "../support/cloud-server.ts";
import { startPlimsoll } from "../support/plimsoll.ts";
import { startPrometheus, type Prometheus } from "../support/prometheus.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

interface End {
  readonly ends: string;
  readonly state: RunView["state"];
  readonly result: RunView["result"];
  /** `null`: killed. */
  readonly exitCode: number | null;
  /** What the test does to a k6 that runs, instead of waiting. */
  readonly signal?: NodeJS.Signals;
}

/** Source of the exit codes: k6 `errext/exitcodes/codes.go`. */
const ends: readonly End[] = [
  { ends: "finishes", state: "finished", result: "passed", exitCode: 0 },
  { ends: "fails a threshold", state: "finished", result: "failed", exitCode: 99 },
  {
    ends: "aborts on a threshold",
    state: "aborted_by_threshold",
    result: "failed",
    exitCode: 99,
  },
  { ends: "throws", state: "aborted_by_script_error", result: "error", exitCode: 107 },
  {
    ends: "takes too long in setup()",
    state: "aborted_by_limit",
    result: "error",
    exitCode: 100,
  },
  { ends: "calls test.abort()", state: "aborted_by_user", result: "error", exitCode: 108 },
  { ends: "calls test.fail()", state: "aborted_by_system", result: "error", exitCode: 110 },
  {
    ends: "is interrupted by Ctrl-C",
    state: "aborted_by_user",
    result: "error",
    exitCode: 105,
    signal: "SIGINT",
  },
  {
    ends: "is killed by SIGKILL",
    state: "timed_out",
    result: "error",
    exitCode: null,
    signal: "SIGKILL",
  },
];

let prometheus: Prometheus;
let shop: Shop;
let folder: TemporaryFolder;
/** One with the usual patience, and one that takes a run of which it hears nothing for timed out after a few seconds. */
let patient: CloudServer;
let impatient: CloudServer;

describeWithTool("prometheus-3", "k6 with a server of ours for its cloud", (program) => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program });
    shop = await startShop();
    folder = await createTemporaryFolder();
    const { writeUrl } = prometheus;
    patient = await startCloudServer({ writeUrl });
    impatient = await startCloudServer({ writeUrl, flags: ["--run-timeout", "4s"] });
  });
  afterAll(async () => {
    for (const one of [patient, impatient, prometheus, shop, folder]) {
      await one[Symbol.asyncDispose]();
    }
  });

  // k6 of all versions at the same time: they wait more than they work.
  describe.concurrent("of three versions", () => {
    for (const { tool, version } of k6Versions) {
      describeWithTool(tool, version, (k6) => {
        for (const flow of Object.keys(flows) as Flow[]) {
          it.concurrent.each(ends)(`${flow}: $ends`, async (end) => {
            await check(k6, version, flow, end);
          });
          it.concurrent(`${flow}: plimsoll runs stop`, async () => {
            await checkStop(k6, version, flow);
          });
        }
      });
    }
  });
});

async function check(program: string, version: string, flow: Flow, end: End): Promise<void> {
  const server = end.signal === "SIGKILL" ? impatient : patient;
  const name = `${flow} ${end.ends} ${version}`.replaceAll(/[^\w.]+/g, "-");
  await using k6 = await start(program, server, flow, end, name);
  const id = await k6.runId;
  expect(await k6.pageUrl).toBe(`${server.url}/runs/${id}`);
  if (end.signal !== undefined) {
    await server.waitForRun(id, ({ state }) => state === "running");
    k6.kill(end.signal);
  }
  const { exitCode, stderr } = await k6.result;
  const run = await server.waitForRun(id, isOver);

  expect({ exitCode, state: run.state, result: run.result }, stderr).toEqual({
    exitCode: end.exitCode,
    state: end.state,
    result: end.result,
  });
  expect(run).toMatchObject({ id, test: name, generator: `k6/${version}`, startedBy: "admin" });
  expectHistory(run);
  const kept = expectArchive(run, flow);

  // A k6 that was killed has no summary.
  const requests = await k6.requests();
  expect(requests === undefined).toBe(end.signal === "SIGKILL");
  if (requests !== undefined) {
    await haveRequests(prometheus, run, requests, stderr);
  }
  expectVerdicts(run, flow, version);
  const exit = exitCode === null ? "killed" : `exit ${exitCode}`;
  await expectInMatrix(
    `${flow}: ${end.ends}`,
    version,
    `${run.state}, ${run.result}, ${exit}${kept}`,
  );
}

/** k6's older API takes the order to stop; where it does not, who gives it is told why, and the run goes on. */
async function checkStop(program: string, version: string, flow: Flow): Promise<void> {
  const name = `${flow} is stopped ${version}`.replaceAll(/[^\w.]+/g, "-");
  const interrupted: End = { ...ends[0]!, signal: "SIGINT" };
  await using k6 = await start(program, patient, flow, interrupted, name);
  const id = await k6.runId;
  await patient.waitForRun(id, ({ state }) => state === "running");
  const stop = ["runs", "stop", String(id), "--server", patient.url, "--token", patient.adminToken];
  await using plimsoll = startPlimsoll(stop, { folder: folder.path });
  const stopped = await plimsoll.result;
  const isRefused = version === "2.2.0" && flow !== "k6 run --out cloud";
  if (isRefused) {
    expect(stopped.exitCode).toBe(2);
    expect(stopped.stderr).toMatch(/takes no orders from a server: press Ctrl-C/);
    expect(await patient.run(id)).toMatchObject({ state: "running" });
    k6.kill("SIGINT");
  }
  const { exitCode, stderr } = await k6.result;
  const run = await patient.waitForRun(id, isOver);
  expect(run, stderr).toMatchObject({ state: "aborted_by_user", result: "error" });
  const requests = await k6.requests();
  if (isRefused) {
    await haveRequests(prometheus, run, requests, stderr);
  } else {
    expect(stopped.exitCode, stopped.stderr).toBe(0);
    expect(run.history.at(-1)).toMatchObject({ by: "admin" });
    // What the order was the answer to is stored; what k6 had not pushed yet it drops.
    expect(await requestsOf(prometheus, run)).toBeGreaterThan(0);
    expect(await requestsOf(prometheus, run)).toBeLessThanOrEqual(requests ?? 0);
  }
  await expectInMatrix(
    `${flow}: plimsoll runs stop`,
    version,
    isRefused ? "refused: press Ctrl-C" : `${run.state}, ${run.result}, exit ${exitCode}`,
  );
}

async function start(
  program: string,
  server: CloudServer,
  flow: Flow,
  { ends, signal }: End,
  name: string,
): Promise<CloudK6> {
  const home = join(folder.path, name);
  await mkdir(home);
  return startCloudK6({
    program,
    flow,
    folder: home,
    env: await server.k6Environment(),
    scriptEnv: {
      TEST: name,
      BASE_URL: shop.url,
      ENDS: ends,
      DURATION: signal === undefined && !ends.startsWith("aborts") ? "3s" : "60s",
    },
  });
}

/** Each state once, in the order of the state machine. */
function expectHistory({ history, state }: RunView): void {
  const states = history.map((transition) => transition.state);
  expect(states.slice(0, 2)).toEqual(["created", "initializing"]);
  expect(states.at(-1)).toBe(state);
  expect(new Set(states).size).toBe(states.length);
  const times = history.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
}

/** What was uploaded, for the matrix. */
function expectArchive({ archiveBytes }: RunView, flow: Flow): string {
  const isExpected = flow === "k6 cloud run --local-execution";
  expect(archiveBytes > 0).toBe(isExpected);
  return isExpected ? ", archive" : "";
}

/** k6's own verdicts where it says any; where both are there they agree. */
function expectVerdicts({ thresholds, state }: RunView, flow: Flow, version: string): void {
  expect(thresholds.length).toBeGreaterThan(0);
  const saysNone = state === "timed_out" || (version === "2.2.0" && flow !== "k6 run --out cloud");
  for (const { metric, ok, generatorOk } of thresholds) {
    if (saysNone) expect(generatorOk, metric).toBe(null);
    else expect(generatorOk, metric).toBe(ok);
  }
}
