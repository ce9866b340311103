/**
 * What files of samples can hold that is wrong: it is counted by its reason, and the rest is in the store.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DropReason, dropReasons } from "../../src/sample/sample.ts";
import { type PlimsollResult, runPlimsoll } from "../support/plimsoll.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { receivedValue } from "../support/received-points.ts";
import { startReceiverServer } from "../support/receiver-server.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const startMs = Date.now() - 60_000;

function point(
  value: unknown,
  more: { readonly metric?: unknown; readonly time?: unknown; readonly tags?: unknown } = {},
): string {
  const { metric = "http_reqs", time = new Date(startMs).toISOString(), tags = {} } = more;
  return JSON.stringify({ metric, type: "Point", data: { time, value, tags } });
}

function declare(name: string, type: string): string {
  const data = { name, type, contains: "default", thresholds: [], submetrics: null };
  return JSON.stringify({ type: "Metric", data, metric: name });
}

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  const rules = "- {action: drop, source_labels: [name], regex: /health}\n";
  await writeFile(join(folder.path, "rules.yaml"), rules);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Ingests a file of this content. */
async function ingest(
  name: string,
  content: Buffer,
  writeUrl: string,
  ...more: string[]
): Promise<PlimsollResult> {
  await writeFile(join(folder.path, name), content);
  const args = ["ingest", name, "--out", `prometheus-rw=${writeUrl}`, "--report", "report.json"];
  return await runPlimsoll([...args, ...more], { folder: folder.path });
}

const reportOfLast = () => readReport(join(folder.path, "report.json"));

interface BadLine {
  readonly line: string;
  readonly content: string | Buffer;
  /** Why it is not kept; absent where it is. */
  readonly dropped?: DropReason;
  /** Whoever drops it on purpose misses nothing. Default 3. */
  readonly exitCode?: number;
  readonly args?: readonly string[];
  /** Standard error has it; without, no problem is told. */
  readonly says?: string;
}

const longTag = "x".repeat(10_000);
const hourAhead = new Date(Date.now() + 3_600_000).toISOString();

const badLines: readonly BadLine[] = [
  {
    line: "is no JSON",
    content: "level=info",
    dropped: "malformed_line",
    says: 'line 2: the line is not JSON: "level=info"',
  },
  {
    line: "is cut",
    content: point(1).slice(0, 40),
    dropped: "malformed_line",
    says: "line 2: the line is not JSON",
  },
  {
    line: "is JSON of something else",
    content: "[1,2]",
    dropped: "malformed_line",
    says: 'line 2: "metric" is not a name: "[1,2]"',
  },
  {
    line: "has another type",
    content: '{"metric":"http_reqs","type":"Pint","data":{}}',
    dropped: "malformed_line",
    says: 'line 2: "type" is neither "Metric" nor "Point"',
  },
  {
    line: "is longer than any of k6's",
    content: point(1, { tags: { a: "x".repeat(2 ** 20) } }),
    dropped: "malformed_line",
    says: "line 2: the line is longer than 1048576 bytes",
  },
  {
    line: "has an empty name",
    content: point(1, { metric: "" }),
    dropped: "malformed_line",
    says: 'line 2: "metric" is not a name',
  },
  {
    line: "has a number for a name",
    content: point(1, { metric: 7 }),
    dropped: "malformed_line",
    says: 'line 2: "metric" is not a name',
  },
  {
    line: "has a text for a value",
    content: point("1"),
    dropped: "malformed_line",
    says: 'line 2: "value" is not a number',
  },
  {
    line: "has null for a value",
    content: point(null),
    dropped: "malformed_line",
    says: 'line 2: "value" is not a number',
  },
  {
    line: "has a number for a time",
    content: point(1, { time: startMs }),
    dropped: "malformed_line",
    says: 'line 2: "time" is not an RFC 3339 time',
  },
  {
    line: "has no day for a time",
    content: point(1, { time: "2026-02-30T00:00:00Z" }),
    dropped: "malformed_line",
    says: 'line 2: "time" is not an RFC 3339 time',
  },
  {
    line: "has a list for tags",
    content: point(1, { tags: ["a"] }),
    dropped: "malformed_line",
    says: 'line 2: "tags" is not an object of strings',
  },
  {
    line: "has a number for a tag",
    content: point(1, { tags: { a: 1 } }),
    dropped: "malformed_line",
    says: 'line 2: "tags" is not an object of strings',
  },
  {
    line: "has a metric that nobody declared",
    content: point(1, { metric: "orders" }),
    dropped: "unknown_metric",
    says: 'line 2: metric "orders" was not declared before its first sample, so its type is not known',
  },
  {
    line: "has NaN for a value",
    content: point(1).replace('"value":1', '"value":NaN'),
    dropped: "not_finite",
    says: "line 2: the value is not a finite number",
  },
  {
    line: "has +Inf for a value",
    content: point(1).replace('"value":1', '"value":+Inf'),
    dropped: "not_finite",
    says: "line 2: the value is not a finite number",
  },
  {
    line: "has a value beyond the largest double",
    content: point(1).replace('"value":1', '"value":1e999'),
    dropped: "not_finite",
  },
  { line: "counts backwards", content: point(-1), dropped: "negative_counter" },
  {
    line: "has a series that another metric has",
    content: `${declare("http_reqs_total", "gauge")}\n${point(1, { metric: "http_reqs_total", tags: { good: "yes" } })}`,
    dropped: "series_collision",
    says: "note  1 series were left out: after naming and relabelling they were some other series",
  },
  {
    line: "is dropped by a relabel rule",
    content: point(1, { tags: { name: "/health" } }),
    args: ["--relabel-config", "rules.yaml"],
    dropped: "relabelled_away",
    exitCode: 0,
  },
  {
    line: "is of 1970",
    content: point(1, { time: "1970-01-01T00:00:01Z" }),
    dropped: "timestamp_out_of_range",
  },
  {
    line: "is of the next hour",
    content: point(1, { time: hourAhead }),
    dropped: "timestamp_out_of_range",
  },
  {
    line: "has a tag of 10 000 characters",
    content: point(0, { tags: { long: longTag } }),
    says: "note  1 label names or values were cut to their limit",
  },
  {
    line: "has a tag name of 10 000 characters",
    content: point(0, { tags: { [longTag]: "a" } }),
    says: "note  1 label names or values were cut to their limit",
  },
  {
    line: "is not UTF-8",
    content: Buffer.from(point(0, { tags: { name: "caf\u00e9" } }), "latin1"),
    says: "line 2: bytes that are not UTF-8 became U+FFFD",
  },
  {
    line: "has an empty tag name and an empty tag",
    content: point(0, { tags: { "": "a", b: "" } }),
  },
  {
    line: "has tags that become one label",
    content: point(0, { tags: { "a-b": "1", "a.b": "2" } }),
    says: "note  1 tags were left out: another label has the same name",
  },
  {
    line: "has a run of its own",
    content: point(0, { tags: { testid: "other" } }),
    says: "note  1 series had a tag testid or test of their own, which the run's replaced",
  },
  { line: "is empty", content: "" },
  {
    line: "declares a metric again, as another type",
    content: declare("http_reqs", "gauge"),
    says: 'line 2: metric "http_reqs" is declared again as gauge (default); it stays a counter (default)',
  },
  {
    line: "declares a metric of no type",
    content: declare("http_reqs", "histogram"),
    says: 'line 2: the declaration of metric "http_reqs" is not understood',
  },
  {
    line: "has a metric with an odd name",
    content: `${declare("page load é", "gauge")}\n${point(5, { metric: "page load é" })}`,
  },
  {
    line: "has a huge value",
    content: `${declare("huge", "gauge")}\n${point(1e308, { metric: "huge" })}`,
  },
  // The last: in the file of all of them, the metrics of later ones would be too many.
  {
    line: "is of one metric too many",
    content:
      Array.from({ length: 10_001 }, (_, id) => `${declare(`made_${id}`, "counter")}\n`).join("") +
      point(1, { metric: "made_10000" }),
    dropped: "too_many_metrics",
    says: 'metric "made_10000" is beyond the first 10000 metrics',
  },
];

describe("a line between good ones", () => {
  it.each(badLines)("that $line is kept or counted", async ({ content, dropped, says, ...row }) => {
    await using receiver = await startReceiverServer();
    const good = point(1, { tags: { good: "yes" } });
    const lines = [`${good}\n`, content, `\n${good}\n`].map((part) => Buffer.from(part));
    const result = await ingest(
      "lines.json",
      Buffer.concat(lines),
      receiver.url,
      ...(row.args ?? []),
    );
    if (says !== undefined) expect(result.stderr).toContain(says);
    else expect(result.stderr).not.toMatch(/line \d|note/);
    expect(result.exitCode).toBe(row.exitCode ?? (dropped === undefined ? 0 : 3));

    const report = await reportOfLast();
    expect(report.samples.dropped).toEqual(dropped === undefined ? {} : { [dropped]: 1 });
    expectAccounted(report);
    // The good ones are there, whatever is between them.
    const counter = { __name__: "k6_http_reqs_total", good: "yes" };
    expect(receivedValue(receiver.requests, counter)).toBe(2);
    expect(receiver.violations).toEqual([]);
  });

  it("is dropped for every reason that there is", () => {
    const reasons = new Set(badLines.flatMap(({ dropped }) => dropped ?? []));
    expect([...reasons].sort()).toEqual([...dropReasons].sort());
  });
});

describeWithTool("prometheus-3", "Prometheus 3", (program) => {
  it("has what can be kept of the worst of files", async () => {
    await using prometheus = await startPrometheus({ program });
    const lines = badLines.map(({ content }) => Buffer.from(content));
    const good = Buffer.from(`\n${point(1, { tags: { good: "yes" } })}\n`);
    const content = Buffer.concat(lines.flatMap((line) => [good, line]));
    const args = ["--testid", "worst", "--relabel-config", "rules.yaml"];
    const result = await ingest("worst.json", content, prometheus.writeUrl, ...args);
    expect(result.exitCode).toBe(3);
    const report = await reportOfLast();
    expectAccounted(report);
    expect(report.points.rejected).toEqual({});
    const droppedLines = badLines.filter(({ dropped }) => dropped !== undefined).length;
    expect(report.samples.read - report.samples.aggregated).toBe(droppedLines);
    // The last points are of a minute ago, and ended by stale markers.
    const last = async (selector: string) =>
      (await prometheus.query(`last_over_time(${selector}[5m])`)).map(({ value }) => value);
    expect(await last('k6_http_reqs_total{testid="worst",good="yes"}')).toEqual([badLines.length]);
    expect(await last('k6_huge{testid="worst"}')).toEqual([1e308]);
    expect(await last('plimsoll_run_state{testid="worst",state="finished"}')).toEqual([1]);
  });
});

describe("a file that is damaged", () => {
  it.each([
    {
      damage: "a gzip that is cut",
      name: "cut.json.gz",
      content: () => {
        const whole = gzipSync(manyLines);
        return whole.subarray(0, whole.length / 2);
      },
      exitCode: 3,
      says: /cut\.json\.gz, line \d+: the last line is cut off after \d+ bytes/,
      state: "finished",
      dropped: ["malformed_line"],
    },
    {
      damage: "a gzip whose checksum is wrong",
      name: "wrong.json.gz",
      content: () => {
        const whole = gzipSync(manyLines);
        whole.writeUInt32LE(0, whole.length - 8);
        return whole;
      },
      exitCode: 4,
      says: /plimsoll: "wrong\.json\.gz" cannot be read: incorrect data check\n$/,
      state: "aborted_by_system",
      dropped: ["malformed_line"],
    },
    {
      damage: "a last line that is cut",
      name: "cut.json",
      content: () => manyLines.subarray(0, -10),
      exitCode: 3,
      says: /cut\.json, line 20000: the last line is cut off after \d+ bytes/,
      state: "finished",
      dropped: ["malformed_line"],
    },
  ])("gives what it holds: $damage", async ({ name, content, ...expected }) => {
    await using receiver = await startReceiverServer();
    const result = await ingest(name, content(), receiver.url);
    expect(result.stderr).toMatch(expected.says);
    expect(result.exitCode).toBe(expected.exitCode);
    const report = await reportOfLast();
    expect(report.state).toBe(expected.state);
    expect(Object.keys(report.samples.dropped)).toEqual(expected.dropped);
    expectAccounted(report);
    const { aggregated } = report.samples;
    expect(aggregated).toBeGreaterThan(1_000);
    expect(receivedValue(receiver.requests, { __name__: "k6_http_reqs_total" })).toBe(aggregated);
    // The run was ended in order.
    const ended = { __name__: "plimsoll_run_state", state: expected.state };
    expect(receivedValue(receiver.requests, ended)).toBe(1);
    expect(receiver.violations).toEqual([]);
  });

  // Of times that differ, so that half of it is many bytes of gzip.
  const manyLines = Buffer.from(
    Array.from({ length: 20_000 }, (_, index) =>
      point(1, { time: new Date(startMs + Math.floor(index * 1.37)).toISOString() }),
    ).join("\n"),
  );
});
