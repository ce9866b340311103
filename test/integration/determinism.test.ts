/**
 * The same samples make the same requests: whenever they are read, and whatever they are read from.
 */
import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPlimsoll, type PlimsollProcess } from "../support/plimsoll.ts";
import { startReceiverServer, type ReceivedRequest } from "../support/receiver-server.ts";
import type { DecodedSeries } from "../support/decode-write-request.ts";
import { recordRun, type RecordedRun } from "../support/recorded-run.ts";
import { startShop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const identity = ["--testid", "determinism", "--test", "scenarios"];

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describeWithTool("k6-2", "a run of k6", (k6) => {
  let run: RecordedRun;
  let live: readonly ReceivedRequest[];
  let ingested: readonly ReceivedRequest[];
  beforeAll(async () => {
    await using shop = await startShop();
    await using receiver = await startReceiverServer();
    run = await recordRun({
      k6,
      script: "scenarios.js",
      env: { BASE_URL: shop.url, DURATION: "3s" },
      testid: "determinism",
      test: "scenarios",
      writeUrl: receiver.url,
      folder: folder.path,
    });
    expect(receiver.violations).toEqual([]);
    live = receiver.requests;
    ingested = await ingest([run.file, ...identity]);
    expect(ingested.length).toBeGreaterThan(4);
  });

  it("makes the same bytes each time it is ingested, under an id made of the file and its first sample", async () => {
    const first = await ingest([run.file]);
    expect(bodiesOf(await ingest([run.file]))).toEqual(bodiesOf(first));
    const firstMs = run.k6.samples[0]?.timeMs ?? NaN;
    const time = new Date(firstMs).toISOString().replace(/[-:]|\.\d+Z$/g, "");
    expect(testidsOf(first)).toEqual([`determinism-${time}`]);
  });

  it("makes the same bytes from gzip", async () => {
    const zipped = join(folder.path, "samples.json.gz");
    await writeFile(zipped, gzipSync(await readFile(run.file)));
    expect(bodiesOf(await ingest([zipped, ...identity]))).toEqual(bodiesOf(ingested));
  });

  it("makes the same bytes from standard input, wherever it is cut", async () => {
    const requests = await ingest(["-", ...identity], async (plimsoll) => {
      await pipeline(cut(await readFile(run.file)), plimsoll.stdin);
    });
    expect(bodiesOf(requests)).toEqual(bodiesOf(ingested));
  });

  it("makes the same bytes from a named pipe", async () => {
    const fifo = join(folder.path, "samples.fifo");
    execFileSync("mkfifo", [fifo]);
    const requests = await ingest([fifo, ...identity], async () => {
      await pipeline(cut(await readFile(run.file)), createWriteStream(fifo));
    });
    expect(bodiesOf(requests)).toEqual(bodiesOf(ingested));
  });

  it("makes the same totals live as ingested later", () => {
    const totals = totalsOf(live);
    expect(totals.size).toBeGreaterThan(50);
    expect(totals).toEqual(totalsOf(ingested));
  });

  it("makes the same points live as ingested later, where no sample came late", ({ skip }) => {
    const { late } = run.report.samples;
    skip(
      late > 0,
      `${late} samples came after their interval was closed, and count in a later one`,
    );
    expect(pointsOf(live).sort()).toEqual(pointsOf(ingested).sort());
  });
});

/** What a receiver of its own gets from `plimsoll ingest`. */
async function ingest(
  args: readonly string[],
  feed: (plimsoll: PlimsollProcess) => Promise<void> = async ({ stdin }) => {
    stdin.end();
  },
): Promise<readonly ReceivedRequest[]> {
  await using receiver = await startReceiverServer();
  const outputs = ["--out", `prometheus-rw=${receiver.url}`];
  await using plimsoll = startPlimsoll(["ingest", ...args, ...outputs], {
    folder: folder.path,
    isStdinOpen: true,
  });
  await feed(plimsoll);
  const { exitCode, stderr } = await plimsoll.result;
  expect(exitCode, stderr).toBe(0);
  expect(receiver.violations).toEqual([]);
  return receiver.requests.filter((request) => !isProbe(request));
}

/** Plimsoll's first question, whose points are of this moment. */
function isProbe({ series }: ReceivedRequest): boolean {
  return series.some((one) => nameOf(one).startsWith("plimsoll_probe"));
}

function nameOf({ labels }: DecodedSeries): string {
  return labels.find(({ name }) => name === "__name__")?.value ?? "";
}

/** In order. As text, so that a difference can be read. */
function bodiesOf(requests: readonly ReceivedRequest[]): string[] {
  return requests.map(({ protocol, body }) => `${protocol} ${body.toString("base64")}`);
}

function testidsOf(requests: readonly ReceivedRequest[]): string[] {
  const labels = requests.flatMap(({ series }) => series.flatMap((one) => one.labels));
  return [...new Set(labels.filter(({ name }) => name === "testid").map(({ value }) => value))];
}

/** Each point of k6's metrics, with its series, in order. */
function pointsOf(requests: readonly ReceivedRequest[]): string[] {
  return k6SeriesOf(requests).flatMap(({ labels, samples, histograms }) =>
    [...samples, ...histograms].map((point) => JSON.stringify([labels, point])),
  );
}

/** The last point of each of k6's series, whatever its times. */
function totalsOf(requests: readonly ReceivedRequest[]): Map<string, unknown> {
  const totals = new Map<string, unknown>();
  for (const { labels, samples, histograms } of k6SeriesOf(requests)) {
    for (const point of [...samples, ...histograms]) {
      if (point.isStale) continue;
      totals.set(JSON.stringify(labels), { ...point, timestampMs: 0, startTimestampMs: 0 });
    }
  }
  return totals;
}

function k6SeriesOf(requests: readonly ReceivedRequest[]): DecodedSeries[] {
  const series = requests.flatMap((request) => request.series);
  return series.filter((one) => nameOf(one).startsWith("k6_"));
}

/** Pieces of 1 to 4 095 bytes: through the middle of lines, numbers and characters. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = 1 + ((size * 7) % 4_095)) {
    yield bytes.subarray(at, at + size);
  }
}
