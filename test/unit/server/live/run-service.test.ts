import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import type { RunRepository } from "../../../../src/runs/run-repository.ts";
import { journalPath } from "../../../../src/server/live/journal.ts";
import { ServiceUnavailable } from "../../../../src/server/live/service-unavailable.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { openLiveService, openRunService } from "../../../support/live-service.ts";
import { startRun } from "../../../support/start-run.ts";

function aPush(runId: number, key: string) {
  const values = [{ seconds: Math.floor(Date.now() / 1_000) - 1, values: [1] }];
  const body = encodeMetricSet([
    { name: "http_reqs", type: "counter", series: [{ tags: {}, values }] },
  ]);
  return { runId, instance: "", key, body };
}

describe("a service that closes", () => {
  it("answers whatever comes with a 503, and leaves its runs to the next one", async () => {
    await using live = await openLiveService();
    const { service, repository } = live;
    const { run } = await service.start(startRun);
    expect(await service.push(aPush(run.id, "before"))).toBe("stored");
    const closing = service.close(0);
    const late: readonly (() => Promise<unknown>)[] = [
      async () => await service.push(aPush(run.id, "late")),
      async () => await service.end(run.id, { state: "finished" }),
      async () => await service.stop(run.id, "ann"),
    ];
    for (const ask of late) await expect(ask()).rejects.toThrow(ServiceUnavailable);
    await closing;
    for (const ask of late) await expect(ask()).rejects.toThrow(ServiceUnavailable);
    await expect(service.start(startRun)).rejects.toThrow(ServiceUnavailable);
    expect(await repository.run(run.id)).toMatchObject({ state: "running", summary: [] });
  });
});

describe("a database that takes its time", () => {
  it("has what happened last at last, and no samples that came late", async () => {
    const slow = new SlowChange();
    let aheadMs = 0;
    const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
    await using live = await openLiveService((repository) => slow.before(repository), { clock });
    const { service, repository } = live;
    const { run } = await service.start(startRun);
    await service.push(aPush(run.id, "1"));
    // So much that the next push's arrival is a change worth writing down.
    aheadMs += 10_000;
    await service.push(aPush(run.id, "2"));
    await slow.isWaiting;
    aheadMs += 10_000;
    await service.push(aPush(run.id, "3"));
    const ending = service.end(run.id, { state: "finished" });
    // Longer than an end takes that does not wait for what is under way.
    await Promise.race([ending, delay(500)]);
    slow.goOn();
    await ending;
    expect(await repository.run(run.id)).toMatchObject({ state: "finished", hasLateData: false });
  });
});

/** Lets one change wait: the next one that says when the newest samples came. */
class SlowChange {
  readonly isWaiting: Promise<void>;
  goOn: () => void = () => undefined;
  #reach: () => void = () => undefined;
  #changes = 0;

  constructor() {
    this.isWaiting = new Promise((resolve) => (this.#reach = resolve));
  }

  before(repository: RunRepository): RunRepository {
    const change: RunRepository["change"] = async (id, changes) => {
      // The first is part of the first push's answer.
      if (changes.lastDataMs !== undefined && this.#changes++ === 1) {
        this.#reach();
        await new Promise<void>((resolve) => (this.goOn = resolve));
      }
      // An end that does not wait meets what was under way.
      if (changes.summary !== undefined) {
        this.goOn();
        await delay(10);
      }
      return await repository.change(id, changes);
    };
    return new Proxy(repository, {
      get: (target, name) => {
        if (name === "change") return change;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}

/** Rejects what a method of the repository is asked, the first time. */
function refusingOnce(repository: RunRepository, method: keyof RunRepository): RunRepository {
  let isRefused = false;
  return new Proxy(repository, {
    get: (target, name) => {
      if (name === method && !isRefused) {
        return async () => {
          isRefused = true;
          return await Promise.reject(new Error("the database is away"));
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("a run that the database took, and nothing more of it", () => {
  it.each(["change", "enter"] as const)("ends by its silence where %s failed", async (method) => {
    const options = { runTimeoutMs: 1_000 };
    await using live = await openLiveService((one) => refusingOnce(one, method), options);
    const { service, repository } = live;
    await expect(service.start(startRun)).rejects.toThrow("is away");
    await vi.waitFor(
      async () => expect((await repository.list({}, {})).runs[0]?.state).toBe("timed_out"),
      { timeout: 10_000, interval: 50 },
    );
  });
});

describe("a data directory from before servers had names", () => {
  it("is taken over whole, also when the first try failed half way, with the runs that had no push yet", async () => {
    await using live = await openLiveService();
    const { service, repository, dataDir } = live;
    const pushed = (await service.start(startRun)).run;
    const begun = (await service.start(startRun)).run;
    await service.push(aPush(pushed.id, "1"));
    await service.close(0);
    // As it was.
    const peerUrl = "http://10.0.0.1:8089";
    for (const { id } of [pushed, begun]) await repository.handOver(id, peerUrl);
    const journals = join(dataDir, "journals");
    renameSync(journalPath(journals, pushed), join(journals, `${pushed.id}.journal`));
    rmSync(join(dataDir, "server.json"));
    const open = async (one: RunRepository) =>
      await openRunService({ repository: one, dataDir, writeUrl: "http://127.0.0.1:9/", peerUrl });
    await expect(open(refusingOnce(repository, "run"))).rejects.toThrow("is away");
    await using again = await open(repository);
    expect(existsSync(journalPath(journals, pushed))).toBe(true);
    expect(await repository.openRuns(again.serverId)).toHaveLength(2);
    expect(again.openRunsOf("ann")).toBe(2);
  });
});

describe("a data directory that another process has taken", () => {
  it("is left alone: nothing is taken, and it is said once", async () => {
    const notices: string[] = [];
    const onNotice = (text: string): void => void notices.push(text);
    await using live = await openLiveService((one) => one, { onNotice });
    const { service, dataDir } = live;
    const { run } = await service.start(startRun);
    await service.push(aPush(run.id, "1"));
    const journal = journalPath(join(dataDir, "journals"), run);
    await vi.waitFor(() => expect(service.outputs).toHaveLength(1));
    writeFileSync(join(dataDir, "journals", "lock"), "1\nanother\nelsewhere\n");
    const before = readFileSync(journal);
    const asked: readonly (() => Promise<unknown>)[] = [
      async () => await service.push(aPush(run.id, "2")),
      async () => await service.end(run.id, { state: "finished" }),
      async () => await service.start(startRun),
    ];
    for (const ask of asked) await expect(ask()).rejects.toThrow(ServiceUnavailable);
    await service.close(0);
    expect(readFileSync(journal).equals(before)).toBe(true);
    expect(notices.filter((text) => text.includes("another process has taken"))).toHaveLength(1);
  });
});
