/**
 * Memory of `plimsoll ingest` while it works: by number of series, over an hour of data, and under an attack of
 * unique URLs.
 *
 * Each figure is of a fresh process of the real command, which reads k6's lines from a pipe, spools in a temporary
 * folder and sends to a receiver here. A series is a series of Prometheus. Each request of the load has nine samples,
 * as in k6: with trends as native histograms and the default `p(99)` they make 18 series per URL, with classic
 * histograms 267, with neither 11.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { seeded } from "./ingest.mjs";

/** @typedef {{ rssBytes: number, rssAfterGcBytes: number, liveBytes: number, peakRssBytes: number }} Memory */
/** @typedef {"native" | "classic" | "none"} Trends */

const seriesCounts = [1_000, 10_000, 100_000];
/** Series per URL, by how trends are sent: a counter, a rate of three, and seven trends with a gauge each. */
const seriesPerUrl = { native: 1 + 3 + 7 * 2, classic: 1 + 3 + 7 * 38, none: 1 + 3 + 7 };
/** One a second of each URL. */
const roundsPerSize = 60;
const hourSeconds = 3_600;
const attackUrls = 60_000;

const metrics = [
  ["http_reqs", "counter", "default"],
  ["http_req_duration", "trend", "time"],
  ["http_req_blocked", "trend", "time"],
  ["http_req_connecting", "trend", "time"],
  ["http_req_tls_handshaking", "trend", "time"],
  ["http_req_sending", "trend", "time"],
  ["http_req_waiting", "trend", "time"],
  ["http_req_receiving", "trend", "time"],
  ["http_req_failed", "rate", "default"],
];

/** @param {readonly string[]} args `sizes`, `hour`, `attack`; all of them by default */
export async function bench(args) {
  const isWanted = (/** @type {string} */ part) => args.length === 0 || args.includes(part);
  if (isWanted("sizes")) {
    console.log(
      `series of Prometheus, ${roundsPerSize} s of samples, one a second of each k6 series; live: heap and buffers`,
    );
    for (const trends of /** @type {const} */ (["native", "classic", "none"])) {
      for (const count of seriesCounts) await size(count, trends);
    }
  }
  if (isWanted("hour")) await hour();
  if (isWanted("attack")) await attack();
}

/**
 * @param {number} count
 * @param {Trends} trends
 */
async function size(count, trends) {
  const urls = Math.floor(count / seriesPerUrl[trends]);
  const { rssBytes, rssAfterGcBytes, liveBytes, peakRssBytes } = await withIngest(
    trends,
    2 * count,
    async (run) => {
      for (let second = 0; second < roundsPerSize; second++) {
        await run.write(second, urls, (url) => `http://shop.test/products/${url}`);
      }
      return await run.memoryWhenIdle();
    },
  );
  console.log(
    `${trends.padEnd(8)} ${String(urls * seriesPerUrl[trends]).padStart(7)} series  ` +
      `RSS ${megabytes(rssBytes)}  after GC ${megabytes(rssAfterGcBytes)}  of it live ${megabytes(liveBytes)}  ` +
      `peak RSS ${megabytes(peakRssBytes)}` +
      (count === 100_000 ? "  (target: ≤ 250)" : ""),
  );
}

async function hour() {
  /** @type {number[]} */
  const rss = [];
  await withIngest("native", 10_000, async (run) => {
    for (let second = 0; second < hourSeconds; second++) {
      await run.write(second, 56, (url) => `http://shop.test/products/${url}`);
      if (second % 18 === 0) rss.push((await run.memory()).rssAfterGcBytes);
    }
  });
  console.log(
    `an hour of data, 1008 series, ${hourSeconds} intervals: RSS by tenths ${byTenths(rss)}`,
  );
}

async function attack() {
  /** @type {number[]} */
  const rss = [];
  const steps = 50;
  await withIngest("native", 10_000, async (run) => {
    for (let step = 0; step < steps; step++) {
      const first = (step * attackUrls) / steps;
      const nameOf = (/** @type {number} */ url) =>
        `http://shop.test/session/${(first + url).toString(36)}?token=${(first + url) * 7}`;
      await run.write(step, attackUrls / steps, nameOf);
      rss.push((await run.memory()).rssAfterGcBytes);
    }
  });
  console.log(
    `an attack of ${attackUrls} unique URLs at --max-series 10000: RSS by tenths ${byTenths(rss)}`,
  );
}

/**
 * Starts the command, hands it over, and ends it.
 *
 * @template Result
 * @param {Trends} trends
 * @param {number} maxSeries
 * @param {(run: Run) => Promise<Result>} use
 */
async function withIngest(trends, maxSeries, use) {
  const run = await startIngest(trends, maxSeries);
  try {
    return await use(run);
  } finally {
    await run.end();
  }
}

/** @typedef {Awaited<ReturnType<typeof startIngest>>} Run */

/**
 * @param {Trends} trends
 * @param {number} maxSeries
 */
async function startIngest(trends, maxSeries) {
  const folder = mkdtempSync(path.join(tmpdir(), "plimsoll-memory-"));
  const receiver = await startReceiver();
  const root = path.join(import.meta.dirname, "..", "..");
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      "--import",
      path.join(import.meta.dirname, "memory-probe.mjs"),
      path.join(root, "dist", "cli", "main.js"),
      "ingest",
      "-",
      "--quiet",
      "--no-preflight",
      "--remote-write-url",
      receiver.url,
      "--remote-write-protocol",
      "2",
      "--trends",
      trends,
      "--max-series",
      String(maxSeries),
      "--data-dir",
      folder,
    ],
    { cwd: folder, stdio: ["pipe", "ignore", "inherit", "ipc"] },
  );
  const stdin = child.stdin;
  if (!stdin) throw new Error("the command has no standard input");
  const write = async (/** @type {Buffer} */ bytes) => {
    if (!stdin.write(bytes)) await once(stdin, "drain");
  };
  const random = seeded(7);
  const startMs = Date.UTC(2026, 7, 21, 10, 15, 42);
  await write(declarations());

  const memory = async () => {
    const answer = once(child, "message");
    child.send({});
    const [told] = await answer;
    return /** @type {Memory} */ (told);
  };
  return {
    memory,
    /** Waits until all that was written has been sent. */
    memoryWhenIdle: async () => {
      await receiver.quiet();
      return await memory();
    },
    /**
     * One request of each URL in the second `second`.
     *
     * @param {number} second
     * @param {number} urls
     * @param {(url: number) => string} nameOf
     */
    write: async (second, urls, nameOf) => {
      let lines = "";
      for (let url = 0; url < urls; url++) {
        const time = new Date(startMs + second * 1_000 + (url * 999) / urls).toISOString();
        const name = nameOf(url);
        const tags =
          `{"expected_response":"true","group":"","method":"GET","name":"${name}","proto":"HTTP/1.1",` +
          `"scenario":"default","status":"200","url":"${name}"}`;
        for (const [metric, type] of metrics) {
          const value = type === "trend" ? Math.floor(Math.exp(16 + random() * 3)) / 1e6 : 1;
          lines += `{"metric":"${metric}","type":"Point","data":{"time":"${time}","value":${value},"tags":${tags}}}\n`;
        }
        if (lines.length > 1 << 18) {
          await write(Buffer.from(lines));
          lines = "";
        }
      }
      await write(Buffer.from(lines));
    },
    end: async () => {
      const exit = once(child, "exit");
      stdin.end();
      await exit;
      await receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Takes all, and says so. */
async function startReceiver() {
  let lastMs = 0;
  const server = createServer((request, response) => {
    lastMs = Date.now();
    request.resume().on("end", () => {
      // More than was sent counts as all that was sent.
      response.writeHead(204, {
        "X-Prometheus-Remote-Write-Samples-Written": "1000000",
        "X-Prometheus-Remote-Write-Histograms-Written": "1000000",
      });
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/api/v1/write`,
    quiet: async () => {
      lastMs = Date.now();
      while (Date.now() - lastMs < 1_500) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function declarations() {
  const lines = metrics.map(([name, type, contains]) =>
    JSON.stringify({
      type: "Metric",
      data: { name, type, contains, thresholds: [], submetrics: null },
      metric: name,
    }),
  );
  return Buffer.from(`${lines.join("\n")}\n`);
}

/**
 * Whether memory settles, and when: tables that have a limit fill up first.
 *
 * @param {readonly number[]} bytes
 */
function byTenths(bytes) {
  const length = Math.floor(bytes.length / 10);
  const means = Array.from({ length: 10 }, (_, tenth) => {
    const values = bytes.slice(tenth * length, (tenth + 1) * length);
    return values.reduce((sum, value) => sum + value, 0) / length;
  });
  const ratio = (means[9] ?? 0) / (means[4] ?? 0);
  return `${means.map((mean) => (mean / 1e6).toFixed(0)).join(" ")} MB; last to fifth ${ratio.toFixed(2)}`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0).padStart(4)} MB`;
}
