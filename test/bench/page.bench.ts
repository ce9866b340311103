/**
 * A run with 50 endpoints, two hours of it in the store and a push a second going on, as its page in Chromium shows it: frames
 * per second while the page is scrolled and the cursor moves over its charts, from Chromium's own tracing; long tasks; and what
 * the first load weighs and takes. Nothing fails on a time.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CDPSession, Page } from "playwright-core";
import { expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { FrameCounter } from "../support/frame-counter.ts";
import { encodeMetricSet, type PushedMetric } from "../support/encode-metric-set.ts";
import { type PageStage, startPageStage } from "../support/page-stage.ts";
import { encodeRun } from "../support/run-history.ts";
import { RunPage } from "../support/run-page.ts";
import { postRequest } from "../support/write-series.ts";

const endpoints = 50;
const behindSeconds = 2 * 60 * 60;
const measuredSeconds = 20;

const metrics: readonly (readonly [PushedMetric["type"], string, readonly number[]])[] = [
  ["counter", "http_reqs", [1, 1, 1]],
  ["rate", "http_req_failed", [0, 0, 1]],
  ["trend", "http_req_duration", [12.1, 48.3, 130.9]],
  ["trend", "http_req_waiting", [11.9, 48, 130.1]],
  ["rate", "checks", [1, 1, 0]],
];

interface CreatedRun {
  readonly run: RunView;
  readonly token: string;
}

it("measures the page of a long run", async () => {
  await using stage = await startPageStage({
    flags: ["--run-timeout", "1h"],
    // The run's own series go on while the two hours are written.
    storeConfig: "storage: { tsdb: { out_of_order_time_window: 3h } }\n",
  });
  const created = await createRun(stage);
  await using load = keepPushing(stage, created);
  const { id } = created.run;
  await stage.server.waitForRun(id, ({ state }) => state === "running");

  const page = await stage.open("/runs");
  await printFirstLoad(stage, `/runs`);
  await printFirstLoad(stage, `/runs/${id}`);
  await page.goto(`/runs/${id}`);
  const run = new RunPage(page);
  await expect
    .poll(async () => await run.value("requests"), { timeout: 60_000 })
    .toBeGreaterThan(0);
  const before = await run.value("requests");
  for (const [what, act] of Object.entries(actions)) {
    const cdp = await page.context().newCDPSession(page);
    const frames = await measure(cdp, page, act);
    console.log(`${what.padEnd(34)} ${frames}`);
    await cdp.detach();
  }
  console.log(`${load.pushes} pushes meanwhile`);
  // It was live all the time.
  expect(await run.value("requests")).toBeGreaterThan(before);
  await stage.browser.expectQuiet();
});

/** What a person does meanwhile; each goes on for the measured time. */
const actions: Readonly<Record<string, (page: Page, untilMs: number) => Promise<void>>> = {
  "an animation, nobody touches it": async (_, untilMs) => await delay(untilMs - Date.now()),
  "the cursor moves over a chart": async (page, untilMs) => {
    const box = await page.locator("canvas").first().boundingBox();
    if (!box) throw new Error("there is no chart");
    for (let step = 0; Date.now() < untilMs; step++) {
      const along = 0.5 + 0.4 * Math.sin(step / 20);
      await page.mouse.move(box.x + box.width * along, box.y + box.height / 2);
    }
  },
  "it is scrolled up and down": async (page, untilMs) => {
    for (let step = 0; Date.now() < untilMs; step++) {
      await page.mouse.wheel(0, step % 80 < 40 ? 60 : -60);
      await delay(16);
    }
  },
};

/** Frames that Chromium presented and dropped, by its own account, while something on the page asks for each. */
async function measure(
  cdp: CDPSession,
  page: Page,
  act: (page: Page, untilMs: number) => Promise<void>,
): Promise<string> {
  await page.evaluate(`(() => {
    const times = (globalThis.frameTimes = []);
    const tasks = (globalThis.longTasks = []);
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    });
    observer.observe({ type: "longtask" });
    // A dot in the corner that only the page's own thread can move, so that each frame needs it.
    const dot = document.createElement("div");
    document.body.append(dot);
    const place = { position: "fixed", top: "0", width: "3px", height: "3px", background: "red" };
    Object.assign(dot.style, place);
    const next = (time) => {
      dot.style.left = (times.push(time) % 20) + "px";
      globalThis.frameRequest = requestAnimationFrame(next);
    };
    next(performance.now());
    globalThis.stopCounting = () => {
      cancelAnimationFrame(globalThis.frameRequest);
      observer.disconnect();
      dot.remove();
    };
  })()`);
  const counter = await FrameCounter.start(cdp);
  const startMs = Date.now();
  await act(page, startMs + measuredSeconds * 1_000);
  const seconds = (Date.now() - startMs) / 1_000;
  // First: handing over the trace takes a while, in which callbacks go on.
  const { times, tasks }: { readonly times: number[]; readonly tasks: number[] } =
    await page.evaluate("stopCounting(), { times: frameTimes, tasks: longTasks }");
  const { presented, dropped } = await counter.stop();
  expect(presented).toBeGreaterThan(0);
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? time));
  const longest = Math.max(...gaps);
  return (
    `${(presented / seconds).toFixed(1)} frames/s presented, ${dropped} dropped of ${presented + dropped}; ` +
    `${(times.length / seconds).toFixed(1)} callbacks/s, longest gap ${longest.toFixed(0)} ms; ` +
    `${tasks.length} tasks over 50 ms${tasks.length > 0 ? `, longest ${Math.max(...tasks).toFixed(0)} ms` : ""}`
  );
}

async function printFirstLoad(stage: PageStage, path: string): Promise<void> {
  const page = await stage.open("/sign-in", {});
  const fresh = await stage.browser.open(stage.server.url, { beside: page });
  await page.close();
  const cdp = await fresh.context().newCDPSession(fresh);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await fresh.goto(path);
  const isShown = path === "/runs" ? "table tbody tr" : "canvas";
  await fresh.locator(isShown).first().waitFor();
  const shownMs: number = await fresh.evaluate("performance.now()");
  const paints: number = await fresh.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0].startTime",
  );
  const largest: number = await fresh.evaluate(`new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
      .observe({ type: "largest-contentful-paint", buffered: true });
  })`);
  console.log(
    `first load of ${path}: ${(bytes / 1_000).toFixed(1)} kB with its data; first paint ${paints.toFixed(0)} ms, ` +
      `largest ${largest.toFixed(0)} ms, table or charts ${shownMs.toFixed(0)} ms`,
  );
  await fresh.close();
}

/** A run that began two hours ago, whose seconds the store has. */
async function createRun(stage: PageStage): Promise<CreatedRun> {
  const answer = await stage.server.ask("POST", "/runs", { test: "two hours" });
  const created: CreatedRun = JSON.parse(await answer.text());
  const { testid, test } = created.run;
  const startMs = Math.floor(Date.now() / 1_000 - behindSeconds) * 1_000;
  // The server learns from it when the run began.
  await push(stage, created, Math.floor(startMs / 1_000));
  let n = 0;
  const batches = encodeRun(
    {
      testid,
      test,
      startMs: startMs + 1_000,
      seconds: behindSeconds - 30,
      durationMs: 80,
      spread: () => 1 + Math.sin(n++ / 5_000) / 2 + ((n * 7_919) % 97) / 97,
      vus: 40,
      tags: {},
      endpoints,
    },
    true,
  );
  for (const { body } of batches) await postRequest(stage.prometheus.writeUrl, body);
  console.log(
    `${batches.length} requests with two hours of ${endpoints} endpoints are in the store`,
  );
  return created;
}

function keepPushing(
  stage: PageStage,
  created: CreatedRun,
): AsyncDisposable & { readonly pushes: number } {
  let isOn = true;
  let pushes = 0;
  const loop = async (): Promise<void> => {
    while (isOn) {
      const second = Math.floor(Date.now() / 1_000);
      await push(stage, created, second - 1);
      pushes++;
      await delay((second + 1) * 1_000 + 50 - Date.now());
    }
  };
  const done = loop();
  return {
    get pushes() {
      return pushes;
    },
    async [Symbol.asyncDispose]() {
      isOn = false;
      await done;
    },
  };
}

async function push(stage: PageStage, { run, token }: CreatedRun, seconds: number): Promise<void> {
  const values = [{ seconds }];
  const body = encodeMetricSet([
    ...metrics.map(([type, name, measured]) => ({
      name,
      type,
      series: Array.from({ length: endpoints }, (_, endpoint) => ({
        tags: { scenario: "default", name: `endpoint-${endpoint}`, method: "GET", status: "200" },
        values: values.map((one) => ({
          ...one,
          values: measured.map((value) => (value > 1 ? value * (1 + endpoint / 10) : value)),
        })),
      })),
    })),
    {
      name: "vus",
      type: "gauge",
      series: [{ tags: { scenario: "default" }, values: [{ seconds, values: [40] }] }],
    },
    {
      name: "iterations",
      type: "counter",
      series: [{ tags: { scenario: "default" }, values: [{ seconds, values: [50] }] }],
    },
  ]);
  const answer = await fetch(`${stage.server.url}/v2/metrics/${run.id}`, {
    method: "POST",
    headers: {
      Authorization: `Token ${token}`,
      "Content-Type": "application/x-protobuf",
      "Content-Encoding": "snappy",
      "K6-Idempotency-Key": `bench-${seconds}`,
    },
    body: new Uint8Array(body),
  });
  if (!answer.ok) throw new Error(`a push is answered ${answer.status}: ${await answer.text()}`);
}
