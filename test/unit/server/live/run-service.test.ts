import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceUnavailable } from "../../../../src/server/live/service-unavailable.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { type LiveService, openLiveService } from "../../../support/live-service.ts";
import { startRun } from "../../../support/start-run.ts";

let live: LiveService;
beforeEach(async () => {
  live = await openLiveService();
});
afterEach(async () => await live[Symbol.asyncDispose]());

function aPush(runId: number, key: string) {
  const values = [{ seconds: Math.floor(Date.now() / 1_000) - 1, values: [1] }];
  const body = encodeMetricSet([
    { name: "http_reqs", type: "counter", series: [{ tags: {}, values }] },
  ]);
  return { runId, instance: "", key, body };
}

describe("a service that closes", () => {
  it("answers whatever comes with a 503, and leaves its runs to the next one", async () => {
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
