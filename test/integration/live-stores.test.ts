/**
 * Stores of a server that cannot be used at first: what is tried again, when, and what it costs those that can.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { decodeMetricSet } from "../../src/cloud/metric-set.ts";
import type { RemoteWriteOptions } from "../../src/config/options.ts";
import { resolveOptions } from "../../src/config/resolve-options.ts";
import type { PrometheusOutput } from "../../src/output/prometheus-output.ts";
import { Backlog } from "../../src/server/live/backlog.ts";
import { Receiver } from "../../src/server/live/receiver.ts";
import { RunSamples } from "../../src/server/live/run-samples.ts";
import { encodeMetricSet } from "../support/encode-metric-set.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { runRecord } from "../support/run-record.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const startMs = 1_795_000_000_000;

let folder: TemporaryFolder;
let store: ReceiverServer;
let nowMs: number;
let notices: string[];
const onNotice = (text: string): void => void notices.push(text);
const clock: Clock = { ...systemClock, nowMs: () => nowMs };

beforeEach(async () => {
  folder = await createTemporaryFolder();
  store = await startReceiverServer();
  nowMs = startMs;
  notices = [];
});
afterEach(async () => {
  for (const one of [store, folder]) await one[Symbol.asyncDispose]();
});

async function openReceiver(
  own: Partial<RemoteWriteOptions>,
  random = () => 0.5,
): Promise<Receiver> {
  const { values } = resolveOptions({ flags: { url: { flag: "--url", value: store.url } } });
  return await Receiver.open(
    { ...values, spoolDir: join(folder.path, "spool"), ...own },
    { clock, random, userAgent: "plimsoll/test", probeId: "serve-1", onNotice },
  );
}

/** The total of requests that a store was told last. */
const requestsIn = ({ requests }: ReceiverServer): number | undefined =>
  requests
    .flatMap(({ series }) => series)
    .filter(({ labels }) => labels.some(({ value }) => value === "k6_http_reqs_total"))
    .flatMap(({ samples }) => samples.filter(({ isStale }) => !isStale))
    .at(-1)?.value;

async function push(samples: RunSamples): Promise<void> {
  const values = [{ seconds: Math.floor(nowMs / 1_000) - 1, values: [1] }];
  const series = [{ tags: {}, values }];
  const body = encodeMetricSet([{ name: "http_reqs", type: "counter", series }]);
  samples.push({ instance: "", key: `${nowMs}`, body }, decodeMetricSet(body));
  await samples.flush();
}

describe("a store whose output cannot be opened", () => {
  it("is tried ever more rarely, leaves the other one alone meanwhile, and gets everything in the end", async () => {
    const inTheWay = join(folder.path, "in-the-way");
    writeFileSync(inTheWay, "");
    await using good = await openReceiver({});
    await using otherStore = await startReceiverServer();
    await using bad = await openReceiver({ spoolDir: inTheWay, url: otherStore.url });
    await vi.waitFor(() => expect([good.agreement, bad.agreement]).not.toContain(undefined));
    const samples = await RunSamples.open(
      runRecord({ state: "running", createdMs: startMs, testid: "checkout-1" }),
      {
        receivers: [good, bad],
        directory: folder.path,
        journalLimitBytes: 1024 ** 2,
        backlog: new Backlog(),
        isHeld: () => true,
        clock,
        random: () => 0.5,
        userAgent: "plimsoll/test",
        onNotice,
      },
    );
    /** Which outputs are open when the clock has gone on. */
    const outputsAt = async (secondsLater: number): Promise<readonly PrometheusOutput[]> => {
      nowMs = startMs + secondsLater * 1_000;
      samples.tick();
      samples.tick();
      await samples.settled();
      return samples.outputs;
    };
    await samples.settled();
    const [first] = samples.outputs;
    expect(first).toBeDefined();
    nowMs += 2_000;
    await push(samples);
    const isLeftAlone = ([one, ...others]: readonly PrometheusOutput[]): boolean =>
      one === first && others.length === 0;
    expect(await outputsAt(5)).toSatisfy(isLeftAlone);
    rmSync(inTheWay);
    expect(await outputsAt(14.9)).toSatisfy(isLeftAlone);
    expect(await outputsAt(15)).toHaveLength(2);
    await push(samples);
    await samples.close(10_000);
    expect([requestsIn(store), requestsIn(otherStore)]).toEqual([2, 2]);
    expect(notices.filter((text) => text.includes("in-the-way"))).toHaveLength(1);
    expect([...store.violations, ...otherStore.violations]).toEqual([]);
  });
});

describe("a store that cannot be asked", () => {
  it("is asked again, and the server lives on, when asking fails as nobody expects", async () => {
    await using away = await startReceiverServer({ answers: [{ status: 503 }] });
    let asked = 0;
    // What asking waits by, before it tries again.
    const random = (): number => {
      if (++asked === 1) throw new Error("no entropy");
      return 0.5;
    };
    await using receiver = await openReceiver({ url: away.url }, random);
    await vi.waitFor(() => expect(notices).toContainEqual(expect.stringContaining("no entropy")));
    expect(receiver.agreement).toBeUndefined();
    await vi.waitFor(() => expect(receiver.agreement).toMatchObject({ protocol: "2" }), 10_000);
    expect(notices).toHaveLength(1);
  });
});
