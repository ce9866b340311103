/**
 * Records what every dashboard has something to show of: real runs against the stack, and a history of them.
 *
 * Starts the stack (`plimsoll up --native`) and loads its shop with `plimsoll run` and k6: a run of two generators, one of the
 * version before, and the main run, in whose middle third the shop's connection pool shrinks to 2. What the first
 * generator wrote with `--out json` is ingested once more for each run of the past, with its times moved and its
 * durations stretched.
 *
 * Out: a view for each dashboard: the time range and the variables with which it shows the recording.
 */
import { createReadStream, createWriteStream } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cleanEnvironment } from "./demo-load.mjs";
import { runPlimsoll, startStack } from "./demo-processes.mjs";
import { faultFor } from "./fault-run.mjs";
import { projectFolder } from "./setup.mjs";

/** @import { Stack } from "./demo-processes.mjs" */

/**
 * @typedef {object} View
 * @property {string} dashboard File name without `.json`.
 * @property {number | string} from Unix milliseconds, or as Grafana writes it.
 * @property {number | string} to
 * @property {Readonly<Record<string, string>>} variables
 *
 * @typedef {object} Range
 * @property {number} fromMs
 * @property {number} toMs
 */

const test = "checkout";
/** Several scrapes, and some points of each rate. */
const fleetMs = 10_000;
/** Long enough for a quiet third, a slow one, and one in which it recovers. */
const mainMs = 42_000;
/**
 * Two connections serve about 50 buyers a second on a machine with nothing else to do: of 70, all 30 VUs wait, and iterations are
 * dropped.
 */
const mainLoad = { durationMs: mainMs, buyersPerSecond: 70 };
/** What links of the dashboard Runs show around a run. */
const marginMs = 5_000;
const dayMs = 24 * 3_600_000;

/** A year and a half, at the pace of a team that tests every fourth week. */
const past = Array.from({ length: 18 }, (_, index) => ({
  daysAgo: 7 + 28 * (18 - index),
  version: `1.${Math.floor(index / 3)}.0`,
  commit: (0x4f2a9c1 + index * 0x1_1d3a7).toString(16),
  // Slower for half a year, and no two runs are alike.
  stretch: (index >= 8 && index < 14 ? 1.35 : 1) * (1 + 0.07 * Math.sin(7 * index)),
}));

/** Below those of the demo, so that both can run. */
const portOffsets = [4_000, 5_000, 6_000, 7_000, 8_000];

/**
 * @param {object} options
 * @param {string} options.k6
 * @param {string} options.workFolder Empty.
 * @param {string} options.stackFolder Empty; holds the store's data.
 * @param {(line: string) => void} options.log
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ stack: Stack, views: readonly View[] }>} The stack goes on; whoever asked stops it.
 */
export async function recordRuns({ k6, workFolder, stackFolder, log, signal }) {
  const stack = await startStack(stackFolder, { scrapeInterval: "1s", signal, portOffsets });
  try {
    const recorder = new Recorder({ k6, workFolder, stack, signal });
    const samplesFile = path.join(workFolder, "samples.json");
    log("a run of two generators");
    const fleet = await recorder.runFleet({
      testid: "checkout-fleet",
      durationMs: fleetMs,
      tags: { version: "1.6.0", branch: "main", commit: "7c1e0b2" },
      // Classic histograms, so that there is a run with each kind.
      options: ["--trends", "classic"],
      zones: ["eu-west-1", "us-east-1"],
      samplesFile,
    });
    log(`${past.length} runs of the past`);
    for (const run of past) await recorder.replay(samplesFile, fleet, run);
    log("a run of the version before");
    await recorder.run({
      testid: "checkout-before",
      ...mainLoad,
      tags: { version: "1.7.0", branch: "main", commit: "b81d4ce" },
    });
    log("the main run, with a pool of 2 in its middle third");
    const main = await recorder.run({
      testid: "checkout-main",
      ...mainLoad,
      tags: { version: "1.8.0", branch: "pool-of-two", commit: "e05f6a9" },
      options: ["--metrics-listen", "127.0.0.1:9464"],
      fault: "pool",
    });
    const range = { from: main.fromMs - marginMs, to: main.toMs + marginMs };
    const ofMain = { ...range, variables: { testid: "checkout-main" } };
    return {
      stack,
      views: [
        { dashboard: "runs", from: "now-150d", to: "now", variables: {} },
        { dashboard: "run", ...ofMain },
        { dashboard: "correlation", ...ofMain },
        {
          dashboard: "compare",
          ...range,
          variables: { test_a: test, a: "checkout-main", test_b: test, b: "checkout-before" },
        },
        {
          dashboard: "history",
          from: "now-18M",
          to: "now",
          // Without the main run, beside which all others look alike.
          variables: { test, filter: 'branch="main"' },
        },
        {
          dashboard: "fleet",
          from: fleet.fromMs - marginMs,
          // While it runs: who is late then is not seen later.
          to: fleet.fromMs + fleetMs - 1_000,
          variables: { testid: "checkout-fleet", histogram: "_seconds_bucket" },
        },
        { dashboard: "pipeline", ...ofMain },
      ],
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Puts runs into a stack's store. */
class Recorder {
  #k6;
  #workFolder;
  #stack;
  #signal;
  #count = 0;

  /** @param {{ k6: string, workFolder: string, stack: Stack, signal: AbortSignal }} options */
  constructor({ k6, workFolder, stack, signal }) {
    this.#k6 = k6;
    this.#workFolder = workFolder;
    this.#stack = stack;
    this.#signal = signal;
  }

  /**
   * @param {object} run
   * @param {string} run.testid
   * @param {number} run.durationMs
   * @param {number} [run.buyersPerSecond] Default: the script's.
   * @param {Readonly<Record<string, string>>} run.tags
   * @param {readonly string[]} [run.options] Further ones.
   * @param {string} [run.fault] The shop's, for the middle third.
   * @returns {Promise<Range>}
   */
  async run({ testid, durationMs, buyersPerSecond, tags, options = [], fault }) {
    const { shopUrl } = this.#stack;
    const script = path.join(projectFolder, "examples", "checkout.js");
    const environment = {
      BASE_URL: shopUrl,
      DURATION: `${durationMs / 1_000}s`,
      ...(buyersPerSecond !== undefined && { BUYERS_PER_SECOND: buyersPerSecond }),
    };
    const load = Object.entries(environment).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const fromMs = Date.now();
    const ended = new AbortController();
    const third = durationMs / 3;
    const times = { afterMs: third, forMs: third, signal: ended.signal };
    const switching =
      fault === undefined ? Promise.resolve() : faultFor({ shopUrl, fault, ...times });
    // What it says is read below.
    switching.catch(() => {});
    try {
      await this.#plimsoll(
        ["run", script, "--k6", this.#k6, "--testid", testid, ...load, ...options],
        // 99: thresholds failed, as they may with a fault, or on a busy machine.
        { tags, expected: [0, 99] },
      );
    } finally {
      ended.abort();
    }
    await switching;
    return { fromMs, toMs: Date.now() };
  }

  /**
   * A generator in each zone, at once.
   *
   * @param {object} run
   * @param {string} run.testid
   * @param {number} run.durationMs
   * @param {Readonly<Record<string, string>>} run.tags
   * @param {readonly string[]} run.options
   * @param {readonly string[]} run.zones
   * @param {string} run.samplesFile For what the first of them measured.
   * @returns {Promise<Range>}
   */
  async runFleet({ zones, tags, options, samplesFile, ...run }) {
    const ranges = await Promise.all(
      zones.map((zone, index) =>
        this.run({
          ...run,
          tags: { ...tags, load_zone: zone, instance_id: `${zone}-a` },
          options: index === 0 ? [...options, "--out", `json=${samplesFile}`] : options,
        }),
      ),
    );
    return {
      fromMs: Math.min(...ranges.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...ranges.map(({ toMs }) => toMs)),
    };
  }

  /**
   * @param {string} samplesFile
   * @param {Range} recorded
   * @param {(typeof past)[number]} run
   */
  async replay(samplesFile, { fromMs }, { daysAgo, version, commit, stretch }) {
    const moved = path.join(this.#workFolder, "moved.json");
    const byMs = -daysAgo * dayMs;
    await pipeline(
      Readable.from(movedLines(samplesFile, byMs, stretch)),
      createWriteStream(moved),
      { signal: this.#signal },
    );
    const day = new Date(fromMs + byMs).toISOString().slice(0, 10);
    await this.#plimsoll(["ingest", moved, "--testid", `${test}-${day}`], {
      tags: { version, commit, branch: "main" },
      expected: [0],
    });
  }

  /**
   * @param {readonly string[]} args
   * @param {{ tags: Readonly<Record<string, string>>, expected: readonly number[] }} options Exit codes.
   */
  async #plimsoll(args, { tags, expected }) {
    this.#count += 1;
    const dataDir = path.join(this.#workFolder, `run-${this.#count}`);
    const labels = Object.entries(tags).flatMap(([name, value]) => ["--tag", `${name}=${value}`]);
    const out = ["--out", `prometheus-rw=${this.#stack.storeUrl}/api/v1/write`];
    const { exitCode, stderr } = await runPlimsoll(
      [...args, "--test", test, ...labels, ...out, "--data-dir", dataDir],
      { cwd: this.#workFolder, env: cleanEnvironment(), signal: this.#signal, quiet: true },
    );
    this.#signal.throwIfAborted();
    if (exitCode === null || !expected.includes(exitCode)) {
      throw new Error(`plimsoll ${args[0]} ended with ${exitCode}:\n${stderr}`);
    }
  }
}

/**
 * k6's JSON lines with other times, and requests that took longer.
 *
 * @param {string} file
 * @param {number} byMs
 * @param {number} stretch
 */
async function* movedLines(file, byMs, stretch) {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const parsed = JSON.parse(line);
    if (parsed.type === "Point") {
      const { data, metric } = parsed;
      data.time = new Date(Date.parse(data.time) + byMs).toISOString();
      if (/^http_req_(duration|waiting)$/.test(metric)) data.value *= stretch;
    }
    yield `${JSON.stringify(parsed)}\n`;
  }
}
