import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, asyncProperty, nat } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { decodeMetricSet } from "../../../../src/cloud/metric-set.ts";
import type { RemoteWriteOptions } from "../../../../src/config/options.ts";
import { resolveOptions } from "../../../../src/config/resolve-options.ts";
import type { RunRecord } from "../../../../src/runs/run-record.ts";
import { Backlog } from "../../../../src/server/live/backlog.ts";
import { nameLimits } from "../../../../src/server/live/journal-facts.ts";
import { journalPath } from "../../../../src/server/live/journal.ts";
import { Receiver } from "../../../../src/server/live/receiver.ts";
import { RunSamples, type RunSamplesOptions } from "../../../../src/server/live/run-samples.ts";
import { ServiceUnavailable } from "../../../../src/server/live/service-unavailable.ts";
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

async function open(
  id: number,
  nowMs: () => number,
  options: Partial<RunSamplesOptions> = {},
): Promise<RunSamples> {
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
    ...options,
  });
}

/** A store that is not there. */
async function openReceiver(own: Partial<RemoteWriteOptions>): Promise<Receiver> {
  const flags = { url: { flag: "--url", value: "http://127.0.0.1:9/write" } };
  return await Receiver.open(
    { ...resolveOptions({ flags }).values, preflight: false, ...own },
    {
      clock: systemClock,
      random: () => 0.5,
      userAgent: "plimsoll/test",
      probeId: "serve-1",
      onNotice: () => undefined,
    },
  );
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
    now += 7_000;
    expect(after.quietMs).toBe(7_000);
    await after.remove();
  });
});

describe("a journal that has no room", () => {
  const inTheWay = () => join(folder, "in-the-way");
  const take = (samples: RunSamples, key: number): string => {
    const body = pushOf(1, startMs + 1_000);
    return samples.push({ instance: "", key: `${key}`, body }, decodeMetricSet(body));
  };

  it.each([
    { name: "that cannot be opened", id: 2_001, own: () => ({ spoolDir: inTheWay() }) },
    { name: "that takes nothing", id: 2_002, own: () => ({ spoolLimitBytes: 1 }) },
  ])("is kept, and pushes are refused, with a spool $name", async ({ id, own }) => {
    writeFileSync(inTheWay(), "");
    await using receiver = await openReceiver({ spoolDir: join(folder, `spool-${id}`), ...own() });
    const path = journalPath(folder, aRun(id));
    const notices: string[] = [];
    let now = startMs + 2_000;
    const samples = await open(id, () => now, {
      receivers: [receiver],
      journalLimitBytes: 2_000,
      onNotice: (text) => notices.push(text),
    });
    let stored = 0;
    const pushUntilRefused = async (): Promise<void> => {
      expect(() => {
        for (let push = 0; push < 50; push++) {
          if (take(samples, stored) === "stored") stored++;
        }
      }).toThrow(ServiceUnavailable);
      await samples.settled();
    };
    take(samples, stored++);
    await samples.flush(2_000);
    await pushUntilRefused();
    expect(stored).toBeGreaterThan(2);
    for (let again = 0; again < 4; again++) {
      now += 60_000;
      samples.tick();
      await pushUntilRefused();
    }
    expect(statSync(path).size).toBeGreaterThan(1_000);
    expect(notices.filter((text) => text.includes("samples are refused"))).toHaveLength(1);
    await samples.close(0);
    // With room, by whoever opens it: all that was acknowledged.
    const again = await open(id, () => now);
    await again.flush();
    expect(requestsOf(again)).toBe(stored);
    await again.remove();
    rmSync(inTheWay());
  });

  it("is given up once every spool has its samples", async () => {
    const id = 2_003;
    writeFileSync(inTheWay(), "");
    await using receiver = await openReceiver({ spoolDir: inTheWay() });
    let now = startMs + 2_000;
    const options = { receivers: [receiver], journalLimitBytes: 2_000 };
    const samples = await open(id, () => now, options);
    let stored = 0;
    const refused = () => {
      for (let push = 0; push < 50; push++) {
        if (take(samples, stored) === "stored") stored++;
      }
    };
    expect(refused).toThrow(ServiceUnavailable);
    await samples.settled();
    rmSync(inTheWay());
    now += 5_000;
    expect(refused).toThrow(ServiceUnavailable);
    await samples.settled();
    expect(take(samples, stored++)).toBe("stored");
    await samples.flush();
    expect(requestsOf(samples)).toBe(stored);
    expect(statSync(journalPath(folder, aRun(id))).size).toBe(0);
    expect(samples.outputs[0]?.progress.points.pending).toBeGreaterThan(0);
    await samples.remove();
  });

  it("is not written to when it is another's", async () => {
    const id = 2_004;
    let isHeld = true;
    const samples = await open(id, () => startMs + 2_000, { isHeld: () => isHeld });
    expect(take(samples, 1)).toBe("stored");
    const { size } = statSync(journalPath(folder, aRun(id)));
    isHeld = false;
    expect(() => take(samples, 2)).toThrow(ServiceUnavailable);
    samples.tick();
    await samples.close(0);
    expect(statSync(journalPath(folder, aRun(id))).size).toBe(size);
  });
});

describe("points that a spool refuses", () => {
  it("are made again when it has room: no journal says that it has them", async () => {
    const id = 3_000;
    const spoolDir = join(folder, "spool-3000");
    const now = () => startMs + 10_000;
    const outputWith = async (spoolLimitBytes: number, check: (samples: RunSamples) => void) => {
      await using receiver = await openReceiver({ spoolDir, spoolLimitBytes });
      const samples = await open(id, now, { receivers: [receiver] });
      const body = pushOf(3, startMs + 1_000);
      samples.push({ instance: "", key: "1", body }, decodeMetricSet(body));
      await samples.flush();
      check(samples);
      await samples.close(0);
    };
    await outputWith(1, ({ outputs }) => {
      expect(outputs[0]?.progress.points.rejected.get("spool_full")).toBeGreaterThan(0);
      expect(outputs[0]?.progress.points.pending).toBe(0);
    });
    await outputWith(1 << 20, ({ outputs }) =>
      expect(outputs[0]?.progress.points.pending).toBeGreaterThan(5),
    );
  });
});
