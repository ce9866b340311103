import {
  array,
  assert,
  constantFrom,
  dictionary,
  double,
  integer,
  option,
  property,
  record,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonLinesReader, type LineProblem } from "../../../src/sample/json-lines.ts";
import type { Metric } from "../../../src/sample/metric.ts";
import { RecordingSink } from "../../support/recording-sink.ts";

const declarations = [
  { name: "http_reqs", type: "counter", contains: "default" },
  { name: "http_req_duration", type: "trend", contains: "time" },
  { name: "vus", type: "gauge", contains: "default" },
] as const;

function declare({ name, type, contains }: Metric): string {
  const data = { name, type, contains, thresholds: [], submetrics: null };
  return JSON.stringify({ type: "Metric", data, metric: name });
}

interface Point {
  readonly metric: string;
  readonly time: string;
  readonly value: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

function toLine({ metric, time, value, tags, metadata }: Point): string {
  const data = { time, value, tags, ...(metadata && { metadata }) };
  return JSON.stringify({ metric, type: "Point", data });
}

function read(chunks: Iterable<Buffer>): { sink: RecordingSink; problems: LineProblem[] } {
  const sink = new RecordingSink();
  const problems: LineProblem[] = [];
  const reader = new JsonLinesReader(sink, { onProblem: (problem) => problems.push(problem) });
  for (const chunk of chunks) reader.write(chunk);
  reader.end();
  return { sink, problems };
}

function readText(text: string | Buffer): ReturnType<typeof read> {
  return read([Buffer.from(text)]);
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)];
}

const tagValue = constantFrom(
  "",
  "GET",
  'say "hi"',
  "}}",
  "\\",
  '","tags":{',
  "é\n😀",
  "x".repeat(300),
);
const point = record({
  metric: constantFrom("http_reqs", "http_req_duration", "vus"),
  time: constantFrom(
    "2026-08-21T10:15:42.123456789+02:00",
    "2026-08-21T10:15:42.12Z",
    "2026-08-21T10:15:42Z",
    "2026-08-21T23:59:59.999999999Z",
  ),
  value: double({ noNaN: true, noDefaultInfinity: true }),
  // Few names and values, so that series repeat; arbitrary ones among them.
  tags: dictionary(constantFrom("name", "url", "a.b", "", "}"), tagValue, { maxKeys: 3 }),
  metadata: option(dictionary(constantFrom("vu", "iter"), string(), { maxKeys: 2 }), {
    nil: undefined,
    freq: 5,
  }),
});

describe("JsonLinesReader", () => {
  it("reads every point as JSON.parse does, wherever the stream is cut", () => {
    assert(
      property(
        array(point, { maxLength: 40 }),
        array(integer({ min: 1, max: 700 })),
        (points, cuts) => {
          const lines = [...declarations.map(declare), ...points.map(toLine)];
          const { sink, problems } = read(cut(Buffer.from(`${lines.join("\n")}\n`), cuts));
          expect(problems).toEqual([]);
          expect(sink.samples).toEqual(
            points.map(({ metric, time, value, tags }) => ({
              metric: declarations.find(({ name }) => name === metric),
              tags,
              timestampMs: Date.parse(time),
              value: JSON.parse(JSON.stringify(value)) as number,
            })),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("parses a series once, and knows it by its bytes from then on", () => {
    const lines = Array.from({ length: 1_000 }, (_, index) =>
      toLine({
        metric: "http_reqs",
        time: "2026-08-21T10:15:42.5Z",
        value: 1,
        tags: { url: `http://shop.test/${index % 3}` },
      }),
    );
    const { sink } = readText(`${declare(declarations[0])}\n${lines.join("\n")}\n`);
    expect(sink.samples).toHaveLength(1_000);
    expect(sink.seriesCalls).toBe(3);
  });

  it("knows a series by its bytes also where each line has its own metadata", () => {
    const lines = Array.from({ length: 100 }, (_, index) =>
      toLine({
        metric: "vus",
        time: "2026-08-21T10:15:42.5Z",
        value: index,
        tags: { group: "" },
        metadata: { iter: String(index), vu: "1" },
      }),
    );
    const { sink } = readText(`${lines.join("\n")}\n`);
    expect(sink.samples.map(({ value }) => value)).toEqual(lines.map((_, index) => index));
    expect(sink.seriesCalls).toBe(1);
  });

  it("knows a series by its bytes also where lines end as on Windows", () => {
    const lines = Array.from({ length: 100 }, (_, value) =>
      toLine({ metric: "vus", time: "2026-08-21T10:15:42.5Z", value, tags: { group: "" } }),
    );
    const { sink, problems } = read(cut(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), [1_000, 99]));
    expect(sink.samples.map(({ value }) => value)).toEqual(lines.map((_, value) => value));
    expect(sink.seriesCalls).toBe(1);
    expect(problems).toEqual([]);
  });

  it("remembers ten thousand metrics, and drops and names the samples of more", () => {
    const lines = Array.from({ length: 10_002 }, (_, index) => {
      const name = `made_${index}`;
      const point = { metric: name, time: "2026-08-21T10:15:42Z", value: 1, tags: {} };
      return `${declare({ ...declarations[2], name })}\n${toLine(point)}`;
    });
    const { sink, problems } = readText(lines.join("\n"));
    expect(sink.samples).toHaveLength(10_000);
    expect(sink.drops).toEqual(["too_many_metrics", "too_many_metrics"]);
    expect(problems[0]?.text).toContain('"made_10000" is beyond the first 10000 metrics');
  });

  it("knows the type of k6's own metrics without their declaration", () => {
    const line = toLine({ metric: "checks", time: "2026-08-21T10:15:42Z", value: 1, tags: {} });
    expect(readText(`${line}\n`).sink.samples[0]?.metric.type).toBe("rate");
  });

  const good = toLine({ metric: "vus", time: "2026-08-21T10:15:42Z", value: 1, tags: {} });
  const head = '{"metric":"vus","type":"Point","data":{"time":"2026-08-21T10:15:42Z","value":';

  it.each([
    [
      "text between the lines",
      "running (00m01.0s), 1/1 VUs",
      "malformed_line",
      "the line is not JSON",
    ],
    ["a cut line", good.slice(0, 50), "malformed_line", "the line is not JSON"],
    ["an array", "[1]", "malformed_line", '"metric" is not a name'],
    ["a number", "17", "malformed_line", '"metric" is not a name'],
    ["null", "null", "malformed_line", '"metric" is not a name'],
    ["an empty name", good.replace("vus", ""), "malformed_line", '"metric" is not a name'],
    [
      "a name that is a number",
      good.replace('"vus"', "5"),
      "malformed_line",
      '"metric" is not a name',
    ],
    ["an unknown type", good.replace("Point", "Dot"), "malformed_line", '"type" is neither'],
    [
      "a value that is a string",
      `${head}"1","tags":{}}}`,
      "malformed_line",
      '"value" is not a number',
    ],
    [
      "a value that is null",
      `${head}null,"tags":{}}}`,
      "malformed_line",
      '"value" is not a number',
    ],
    ["no value", `${head}{},"tags":{}}}`, "malformed_line", '"value" is not a number'],
    ["NaN", `${head}NaN,"tags":{}}}`, "not_finite", "the value is not a finite number"],
    [
      "k6 v1's infinity",
      `${head}+Inf,"tags":{}}}`,
      "not_finite",
      "the value is not a finite number",
    ],
    [
      "tags that are a list",
      `${head}1,"tags":[]}}`,
      "malformed_line",
      '"tags" is not an object of strings',
    ],
    [
      "a tag that is a number",
      `${head}1,"tags":{"a":1}}}`,
      "malformed_line",
      '"tags" is not an object',
    ],
    [
      "no time",
      '{"metric":"vus","type":"Point","data":{"value":1,"tags":{}}}',
      "malformed_line",
      '"time" is not',
    ],
    [
      "a time in seconds",
      good.replace(/"2026[^"]*"/, "1787312142"),
      "malformed_line",
      '"time" is not',
    ],
    [
      "a metric that is not declared",
      good.replace("vus", "my_metric"),
      "unknown_metric",
      "was not declared",
    ],
    [
      "a line that is too long",
      "x".repeat((1 << 20) + 1),
      "malformed_line",
      "longer than 1048576 bytes",
    ],
  ] as const)("counts %s, names its line, and reads on", (_, bad, reason, text) => {
    const { sink, problems } = readText(`${good}\n${bad}\n${good}\n`);
    expect(sink.samples).toHaveLength(2);
    expect(sink.drops).toEqual([reason]);
    expect(problems).toEqual([{ line: 2, dropped: reason, text: expect.stringContaining(text) }]);
  });

  it("reads 1e308 and numbers below zero as they are", () => {
    const { sink } = readText(`${head}1e308,"tags":{}}}\n${head}-1.5,"tags":{}}}\n`);
    expect(sink.samples.map(({ value }) => value)).toEqual([1e308, -1.5]);
  });

  it("reads null tags as none, and passes over empty lines", () => {
    const { sink, problems } = readText(`\n${head}1,"tags":null}}\n  \n`);
    expect(sink.samples).toMatchObject([{ tags: {}, value: 1 }]);
    expect(problems).toEqual([]);
  });

  it("replaces bytes that are not UTF-8, says so, and keeps the sample", () => {
    const line = Buffer.from(`${head}1,"tags":{"name":"?"}}}\n`);
    line[line.indexOf("?")] = 0xff;
    const { sink, problems } = readText(line);
    expect(sink.samples).toMatchObject([{ tags: { name: "\uFFFD" } }]);
    expect(problems).toMatchObject([{ line: 1, text: expect.stringContaining("not UTF-8") }]);
  });

  it("reports a last line that is cut off, and uses one that only lacks its newline", () => {
    const { sink, problems } = readText(`${good}\n${good.slice(0, -3)}`);
    expect(sink.samples).toHaveLength(1);
    expect(sink.drops).toEqual(["malformed_line"]);
    expect(problems).toMatchObject([
      { line: 2, text: expect.stringContaining("the last line is cut off") },
    ]);
    expect(readText(`${good}\n${good}`)).toMatchObject({ sink: { drops: [] }, problems: [] });
  });

  it("keeps the first declaration of a metric, and says that there was another", () => {
    const other = declare(declarations[2]).replace('"gauge"', '"counter"');
    const { sink, problems } = readText(`${declare(declarations[2])}\n${other}\n${good}\n`);
    expect(sink.samples[0]?.metric.type).toBe("gauge");
    expect(problems).toMatchObject([{ line: 2, text: expect.stringContaining("declared again") }]);
  });
});
