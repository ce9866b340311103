/** A live output whose source falls silent for a while: when does it close a second? */
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { resolveLibraryOptions } from "../../../src/library/options.ts";
import { PrometheusOutput } from "../../../src/output/prometheus-output.ts";
import { builtinMetrics } from "../../../src/sample/builtin-metrics.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  // Of the watch.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await folder[Symbol.asyncDispose]();
});

const startMs = 1_787_000_000_000;

it.each([
  // On time is a second after the one before.
  { what: "a push that comes 1.4 s late", gapMs: 2_400, late: 0 },
  { what: "one that comes 2.5 s late", gapMs: 3_500, late: 1 },
])("has in its interval $what: $late late", async ({ gapMs, late }) => {
  const clock = new FakeClock(startMs + 2_100);
  const output = await open(clock);
  const id = output.sink.series(builtinMetrics.get("http_reqs")!, new Map());
  const push = (second: number): void => {
    const atMs = startMs + second * 1_000;
    output.sink.bucket(id, atMs, atMs + 999, { type: "counter", sum: 1 });
    output.sink.advanceTo(atMs + 1_000);
  };
  const look = async (): Promise<void> => {
    vi.advanceTimersByTime(50);
    // The watch looks after the input.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  };
  push(0);
  await look();
  clock.advance(gapMs);
  await look();
  push(1);
  expect(output.progress.samples).toMatchObject({ read: 2, late });
  await output.close();
});

function open(clock: FakeClock): Promise<PrometheusOutput> {
  return PrometheusOutput.open({
    remoteWrite: resolveLibraryOptions({
      // Nobody is there, and nobody is asked.
      url: "http://127.0.0.1:1/api/v1/write",
      preflight: false,
      pushInterval: "1s",
      spoolDir: folder.path,
    }),
    identity: { testid: "run-1", test: "checkout" },
    tags: new Map(),
    info: new Map(),
    isLive: true,
    storesSelfMetrics: false,
    startMs,
    clock,
    random: () => 0,
    userAgent: "plimsoll/0",
    onNotice: () => undefined,
  });
}
