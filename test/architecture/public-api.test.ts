/** What src/index.ts exports is what users may build on: it changes on purpose only. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as api from "../../src/index.ts";

const values = [
  "ConfigError",
  "GeneratorError",
  "InputError",
  "JsonLinesReader",
  "PlimsollError",
  "PrometheusRemoteWrite",
  "ReceiverError",
  "SpoolError",
  "StackError",
  "UsageError",
];

const types = [
  "ByteSize",
  "ConfigProblem",
  "Counter",
  "DropReason",
  "Duration",
  "ErrorCode",
  "Gauge",
  "JsonLinesOptions",
  "LineProblem",
  "Metric",
  "MetricOptions",
  "MetricType",
  "Names",
  "PrometheusRemoteWriteOptions",
  "Rate",
  "RunEnding",
  "RunProgress",
  "RunReport",
  "RunState",
  "SampleSink",
  "TagValues",
  "Tags",
  "ThresholdResult",
  "Trend",
  "ValueKind",
];

it("exports these values", () => {
  expect(Object.keys(api).sort()).toEqual(values);
});

it("exports these types, each by its name", async () => {
  const source = await readFile(new URL("../../src/index.ts", import.meta.url), "utf8");
  const names = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(
    ([, isType, list = ""]) =>
      list
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "")
        .map((name) => (isType === undefined ? name : `type ${name}`)),
  );
  const exported = names.flatMap((name) => (name.startsWith("type ") ? [name.slice(5)] : []));
  expect(exported.sort()).toEqual(types);
  expect(names).toHaveLength(values.length + types.length);
  expect(source).not.toContain("export *");
});
