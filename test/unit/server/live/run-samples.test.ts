import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, asyncProperty, nat } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeMetricSet } from "../../../../src/cloud/metric-set.ts";
import type { RunRecord } from "../../../../src/runs/run-record.ts";
import { Backlog } from "../../../../src/server/live/backlog.ts";
import { nameLimits } from "../../../../src/server/live/journal-facts.ts";
import { journalPath } from "../../../../src/server/live/journal.ts";
import { RunSamples } from "../../../../src/server/live/run-samples.ts";
import { encodeMetricSet } from "../../../support/encode-metric-set.ts";
import { runRecord } from "../../../support/run-record.ts";

const startMs = 1_795_000_000_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plimsoll-samples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const aRun = (id: number): RunRecord =>
  runRecord({ id, state: "running", createdMs: startMs, testid: "checkout-1" });

function pushOf(requests: number, atMs: number): Buffer {
  const seconds = Math.floor(atMs / 1_000);
  const series = (values: number[]) => [{ tags: { status: "200" }, values: [{ seconds, values }] }];
  const all = Array.from({ length: requests }, (_, at) => at);
  return encodeMetricSet([
    { name: "http_reqs", type: "counter", series: series(all.map(() => 1)) },
    { name: "http_req_duration", type: "trend", series: series(all.map((at) => at + 0.5)) },
  ]);
}

async function open(id: number, nowMs: () => number): Promise<RunSamples> {
  const notices: string[] = [];
  return await RunSamples.open(aRun(id), {
    receivers: [],
    directory: folder,
    journalLimitBytes: 1024 ** 3,
    backlog: new Backlog(),
    isHeld: () => true,
    clock: { nowMs, sleep: async () => undefined },
    random: () => 0.5,
    userAgent: "plimsoll/test",
    onNotice: (text) => notices.push(text),
  });
}

const requestsOf = (samples: RunSamples): number | undefined =>
  samples.watch?.totals().find(({ metric }) => metric.name === "http_reqs")?.value;

describe("RunSamples", () => {
  it("has every push that was acknowledged, wherever its journal ends", async () => {
    let now = startMs;
    const path = journalPath(folder, aRun(1));
    const samples = await open(1, () => now);
    const acknowledged = [{ bytes: 0, requests: 0 }];
    for (let number = 1; number <= 20; number++) {
      now += 300;
      const body = pushOf(number, now);
      const instance = number % 3 === 0 ? "b" : "a";
      expect(samples.push({ instance, key: `${number}`, body }, decodeMetricSet(body))).toBe(
        "stored",
      );
      const { requests } = acknowledged.at(-1)!;
      acknowledged.push({ bytes: statSync(path).size, requests: requests + number });
      if (number % 5 === 0) await samples.flush();
    }
    await samples.flush();
    expect(requestsOf(samples)).toBe(210);
    await samples.close(0);
    const { size } = statSync(path);
    let id = 1;
    await assert(
      asyncProperty(nat({ max: size }), async (cut) => {
        const copy = journalPath(folder, aRun(++id));
        copyFileSync(path, copy);
        truncateSync(copy, cut);
        const again = await open(id, () => now);
        await again.flush();
        const expected = acknowledged.findLast(({ bytes }) => bytes <= cut)!.requests;
        expect(requestsOf(again) ?? 0).toBe(expected);
        // A push that is sent again counts once.
        const body = pushOf(1, startMs + 300);
        const outcome = again.push({ instance: "a", key: "1", body }, decodeMetricSet(body));
        expect(outcome).toBe(expected === 0 ? "stored" : "repeated");
        await again.flush();
        expect(requestsOf(again)).toBe(Math.max(1, expected));
        await again.remove();
      }),
      { numRuns: 80 },
    );
  });

  it("takes no more names of generators and of metrics than it may have, also when it is opened again", async () => {
    const id = 12;
    const pushOfMetrics = (names: readonly string[]): Buffer =>
      encodeMetricSet(names.map((name) => ({ name, type: "counter", series: [] })));
    const take = (samples: RunSamples, instance: string, names: readonly string[]) => {
      const body = pushOfMetrics(names);
      return samples.push(
        { instance, key: `${names[0]} ${names.length}`, body },
        decodeMetricSet(body),
      );
    };
    const many = (prefix: string, count: number): string[] =>
      Array.from({ length: count }, (_, at) => `${prefix}${at}`);
    const samples = await open(id, () => startMs);
    const bytes = () => statSync(journalPath(folder, aRun(id))).size;
    for (const name of many("g", nameLimits.generators)) {
      expect(take(samples, name, ["vus"])).toBe("stored");
    }
    expect(take(samples, "g0", many("m", nameLimits.metrics - 1))).toBe("stored");
    const before = bytes();
    const check = (one: RunSamples): void => {
      expect(take(one, "another", ["vus"])).toBe("too_many_generators");
      expect(take(one, "g1", ["vus", "m0", "one_more"])).toBe("too_many_metrics");
    };
    check(samples);
    expect(bytes(), "nothing of it is written down").toBe(before);
    // A name that is refused takes no place.
    expect(take(samples, "g1", ["m0", "vus"])).toBe("stored");
    await samples.close(0);
    const again = await open(id, () => startMs);
    await again.settled();
    check(again);
    await again.close(0);
  });

  it("takes the same key of another instance for another push", async () => {
    const samples = await open(1_000, () => startMs + 2_000);
    const body = pushOf(5, startMs + 1_000);
    const push = (instance: string) =>
      samples.push({ instance, key: "k", body }, decodeMetricSet(body));
    expect([push("a"), push("b"), push("a")]).toEqual(["stored", "stored", "repeated"]);
    await samples.flush();
    expect(requestsOf(samples)).toBe(10);
    await samples.remove();
  });

  it("goes on when the machine's clock was set back while nobody looked", async () => {
    let now = startMs + 3_600_000;
    const before = await open(1_001, () => now);
    const body = pushOf(5, now - 1_000);
    before.push({ instance: "", key: "1", body }, decodeMetricSet(body));
    await before.close(0);
    now -= 3_600_000;
    const after = await open(1_001, () => now);
    const late = pushOf(7, now);
    after.push({ instance: "", key: "2", body: late }, decodeMetricSet(late));
    expect(after.lastArrivalMs).toBe(startMs + 3_600_000);
    await after.flush();
    expect(requestsOf(after)).toBe(12);
    await after.remove();
  });
});
