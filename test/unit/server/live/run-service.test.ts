import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import type { RunRepository } from "../../../../src/runs/run-repository.ts";
import { ServiceUnavailable } from "../../../../src/server/live/service-unavailable.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { openLiveService } from "../../../support/live-service.ts";
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
    await vi.waitFor(async () => expect((await repository.run(run.id))?.lastDataMs).toBeDefined());
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
      // The first is of the first push.
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
