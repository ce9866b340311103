import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, systemClock } from "../../../../src/clock.ts";
import { resolveOptions } from "../../../../src/config/resolve-options.ts";
import type { RunRecord } from "../../../../src/runs/run-record.ts";
import type { RunRepository } from "../../../../src/runs/run-repository.ts";
import { Backlog } from "../../../../src/server/live/backlog.ts";
import { journalPath } from "../../../../src/server/live/journal.ts";
import { LiveRun } from "../../../../src/server/live/live-run.ts";
import { Receiver } from "../../../../src/server/live/receiver.ts";
import { ServiceUnavailable } from "../../../../src/server/live/service-unavailable.ts";
import { openRepository } from "../../../../src/store/open-repository.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../../support/temporary-folder.ts";

const startMs = 1_795_000_000_000;
const userAgent = "plimsoll/test";
const random = (): number => 0.5;
const onNotice = (): void => undefined;

let folder: TemporaryFolder;
let repository: RunRepository;
let nowMs: number;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };
let record: RunRecord;
let receivers: Receiver[];
let run: LiveRun;

beforeEach(async () => {
  nowMs = startMs;
  folder = await createTemporaryFolder();
  mkdirSync(join(folder.path, "journals"));
  repository = await openRepository({ dataDir: folder.path, clock });
  receivers = [];
  const test = await repository.ensureTest(1, "checkout", nowMs);
  record = await repository.create({
    testId: test.id,
    testid: "checkout-1",
    source: "cloud-v1",
    generator: "k6/2.2.0",
    startedBy: "ann",
    options: {},
    thresholds: [
      {
        metric: "http_reqs",
        expression: "count>100",
        abortOnFail: false,
        delayAbortEvalMs: 0,
        value: undefined,
        ok: undefined,
        generatorOk: undefined,
      },
    ],
    maxVus: 1,
    expectedSeconds: undefined,
    tags: {},
    note: "",
    createdMs: nowMs,
    tokenHash: "hash",
    idempotencyKey: "",
    serverId: "one",
  });
});
afterEach(async () => {
  await run.close(0);
  for (const one of [...receivers, repository, folder]) await one[Symbol.asyncDispose]();
});

function open(change: Partial<RunRepository> = {}): LiveRun {
  run = new LiveRun(record, {
    receivers,
    repository: new Proxy(repository, {
      get: (target, name) => {
        const value: unknown = Reflect.get(change, name) ?? Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    directory: join(folder.path, "journals"),
    journalLimitBytes: 1 << 20,
    backlog: new Backlog(),
    isHeld: () => true,
    timeoutMs: 120_000,
    lateMs: 0,
    clock,
    random,
    userAgent,
    onNotice,
  });
  return run;
}

async function push(key: string): Promise<string> {
  const values = [{ seconds: Math.floor(nowMs / 1_000), values: [1] }];
  const series = [{ tags: {}, values }];
  const body = encodeMetricSet([{ name: "http_reqs", type: "counter", series }]);
  return await run.push({ runId: record.id, instance: "", key, body });
}

/** As the service's timer does. */
function tickFor(durationMs: number): void {
  for (const endMs = nowMs + durationMs; nowMs < endMs; run.tick()) nowMs += 250;
}

const stateOf = async (): Promise<string | undefined> => (await repository.run(record.id))?.state;

describe("a run whose journal cannot be read again just now", () => {
  it("is neither judged nor summed up before it can", async () => {
    open();
    await push("1");
    const samples = await run.open();
    await samples.settled();
    // There is one more store to make everything for again.
    const { values } = resolveOptions({
      flags: { url: { flag: "--url", value: "http://127.0.0.1:9/write" } },
    });
    receivers.push(
      await Receiver.open(
        { ...values, preflight: false, spoolDir: join(folder.path, "spool") },
        { clock: systemClock, random, userAgent, probeId: "serve-1", onNotice },
      ),
    );
    const path = journalPath(join(folder.path, "journals"), record);
    await vi.waitFor(() => expect(receivers[0]?.agreement).toBeDefined());
    renameSync(path, `${path}.away`);
    run.tick();
    await samples.settled();
    expect(samples.watch).toBeUndefined();
    await expect(run.end({ state: "finished" })).rejects.toThrow(ServiceUnavailable);
    expect(await stateOf()).toBe("running");
    renameSync(`${path}.away`, path);
    await vi.waitFor(async () => {
      tickFor(2_000);
      expect(await repository.run(record.id)).toMatchObject({
        state: "finished",
        result: "failed",
        summary: expect.arrayContaining([{ metric: "http_reqs", stat: "count", value: 1 }]),
      });
    });
  });
});

describe("a run's silence", () => {
  it("is not the time in which the server stood still, or by which its clock was set", async () => {
    open();
    await push("1");
    tickFor(60_000);
    for (const jumpMs of [3_600_000, -3_600_000, 3_600_000]) {
      nowMs += jumpMs;
      tickFor(10_000);
      await vi.waitFor(async () => expect(await stateOf()).toBe("running"));
    }
    await vi.waitFor(async () => {
      tickFor(60_000);
      expect(await stateOf()).toBe("timed_out");
    });
  });
});

describe("a database that is away", () => {
  it("is asked once for the first pushes, and holds up neither the next ones nor a reported end", async () => {
    let asked = 0;
    let comeBack = (): void => undefined;
    const isBack = new Promise<void>((resolve) => (comeBack = resolve));
    open({
      enter: async (...transition) => {
        asked++;
        await isBack;
        return await repository.enter(...transition);
      },
    });
    const first = push("1");
    await vi.waitFor(() => expect(asked).toBe(1));
    expect([await push("2"), await push("3")]).toEqual(["stored", "stored"]);
    const ending = run.end({ state: "finished" });
    expect((await run.open()).reported).toEqual({ state: "finished" });
    comeBack();
    expect(await first).toBe("stored");
    expect((await ending).state).toBe("finished");
    expect(asked).toBe(2);
  });
});
