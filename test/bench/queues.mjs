/**
 * What parallel queues bring where the receiver is slow to answer: points of many series into one that takes its
 * time over each request, whatever it holds.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../dist/clock.js";
import { Delivery } from "../../dist/output/delivery.js";
import { RemoteWriteClient } from "../../dist/send/remote-write-client.js";
import { RunSpool } from "../../dist/spool/run-spool.js";

const answerMs = 50;
const seriesCount = 50_000;
const intervals = 2;

export async function bench() {
  const points = seriesCount * intervals;
  console.log(`${points} points of ${seriesCount} series, an answer after ${answerMs} ms`);
  const server = createServer((request, response) => {
    request.resume().on("end", () => setTimeout(() => response.writeHead(204).end(), answerMs));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  let first = NaN;
  for (const queues of [1, 2, 4, 8, 16]) {
    const elapsedMs = await measure(`http://127.0.0.1:${address.port}/api/v1/write`, queues);
    if (queues === 1) first = elapsedMs;
    const rate = Math.round(points / (elapsedMs / 1_000) / 1_000);
    const ratio = (first / elapsedMs).toFixed(1);
    console.log(
      `${String(queues).padStart(2)} queues  ${rate} 000 points/s, ${ratio} times one queue`,
    );
  }
  server.close();
  server.closeAllConnections();
}

/**
 * @param {string} url
 * @param {number} queues
 * @returns {Promise<number>} Milliseconds from the first point to the last answer.
 */
async function measure(url, queues) {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-bench-"));
  const clock = systemClock;
  const client = new RemoteWriteClient({
    url,
    userAgent: "plimsoll/0",
    clock,
    connections: queues,
  });
  const spool = await RunSpool.open(join(folder, "spool"), { queues });
  const delivery = new Delivery({
    spool,
    client,
    clock,
    random: Math.random,
    onNotice: (text) => console.log(text),
  });
  const all = Array.from({ length: seriesCount }, (_, id) => seriesOf(id));
  const startMs = performance.now();
  const sink = delivery.points("1");
  for (let interval = 0; interval < intervals; interval++) {
    const timestampMs = 1_700_000_000_000 + interval * 1_000;
    for (const series of all) sink.float(series, timestampMs, series.id, 0);
    sink.intervalEnd(timestampMs);
  }
  await delivery.drain(600_000);
  const elapsedMs = performance.now() - startMs;
  await delivery.close();
  await client.close();
  rmSync(folder, { recursive: true });
  return elapsedMs;
}

/**
 * @param {number} id
 * @returns {import("../../dist/aggregate/series-point.js").OutputSeries}
 */
function seriesOf(id) {
  const labels = {
    __name__: "k6_http_reqs_total",
    method: "GET",
    name: `https://shop.test/products/${id}`,
    scenario: "default",
    status: "200",
    test: "bench",
    testid: "bench-1",
  };
  return {
    id,
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
    family: { name: "k6_http_reqs", type: "counter", help: "", unit: "" },
    isNative: false,
  };
}
