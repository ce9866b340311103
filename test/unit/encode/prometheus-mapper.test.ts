import { expect, it } from "vitest";
import type { MappedSeries } from "../../../src/aggregate/series-mapper.ts";
import { parseTrendStat } from "../../../src/aggregate/trend-stat.ts";
import type { Metric } from "../../../src/sample/metric.ts";
import { createMapper } from "../../support/mapper.ts";
import { seriesText } from "../../support/recording-points.ts";

const reqs: Metric = { name: "http_reqs", type: "counter", contains: "default" };
const duration: Metric = { name: "http_req_duration", type: "trend", contains: "time" };

function tagsOf(tags: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(tags));
}

function names(mapped: MappedSeries | string): string | string[] {
  return typeof mapped === "string"
    ? mapped
    : mapped.outputs.map(({ series }) => seriesText(series));
}

it.each([
  [reqs, ["k6_http_reqs_total{}"]],
  [{ name: "vus", type: "gauge", contains: "default" }, ["k6_vus{}"]],
  [
    { name: "checks", type: "rate", contains: "default" },
    [
      'k6_checks_total{condition="nonzero"}',
      'k6_checks_total{condition="zero"}',
      "k6_checks_rate{}",
    ],
  ],
  [duration, ["k6_http_req_duration_seconds{}", "k6_http_req_duration_p99{}"]],
  [{ name: "size", type: "trend", contains: "data" }, ["k6_size_bytes{}", "k6_size_p99{}"]],
  [{ name: "score", type: "trend", contains: "default" }, ["k6_score{}", "k6_score_p99{}"]],
] as const)("names the series of %o as k6 does", (metric, series) => {
  const mapper = createMapper({ trendStats: [parseTrendStat("p(99)")!] });
  expect(names(mapper.map(metric, new Map()))).toEqual(series);
});

it("drops the url where there is a name, so that series of one name are one", () => {
  const mapper = createMapper();
  const one = mapper.map(reqs, tagsOf({ url: "http://shop.test/products/1", name: "product" }));
  const two = mapper.map(reqs, tagsOf({ url: "http://shop.test/products/2", name: "product" }));
  expect(names(one)).toEqual(['k6_http_reqs_total{name="product"}']);
  // The same object: their samples go into one sum.
  expect(two).toBe(one);
  const session = mapper.map(reqs, tagsOf({ url: "ws://shop.test", name: "" }));
  expect(names(session)).toEqual(['k6_http_reqs_total{url="ws://shop.test"}']);
});

it("puts the run's labels on every series, whatever its tags say, and counts where they said otherwise", () => {
  const mapper = createMapper({ runLabels: [{ name: "testid", value: "mine" }] });
  expect(names(mapper.map(reqs, tagsOf({ testid: "theirs" })))).toEqual([
    'k6_http_reqs_total{testid="mine"}',
  ]);
  expect(mapper.counts.replacedRunTags).toBe(1);
});

it("adds the run's tags where a series has none of that name", () => {
  const mapper = createMapper({ extraTags: tagsOf({ version: "1", zone: "eu" }) });
  expect(names(mapper.map(reqs, tagsOf({ zone: "us" })))).toEqual([
    'k6_http_reqs_total{version="1",zone="us"}',
  ]);
});

it("sums series that a relabelling rule makes equal", () => {
  const mapper = createMapper({
    relabel: (labels) => labels.filter(({ name }) => name !== "instance"),
  });
  const one = mapper.map(duration, tagsOf({ instance: "a" }));
  expect(mapper.map(duration, tagsOf({ instance: "b" }))).toBe(one);
});

it("says that a series is relabelled away where nothing is left of it, and keeps the rest", () => {
  const mapper = createMapper({
    trendStats: [parseTrendStat("p(99)")!],
    relabel: (labels) =>
      labels.some(({ value }) => value.endsWith("_p99") || value === "k6_http_reqs_total")
        ? undefined
        : [...labels],
  });
  expect(names(mapper.map(reqs, new Map()))).toBe("relabelled_away");
  expect(names(mapper.map(duration, new Map()))).toEqual(["k6_http_req_duration_seconds{}"]);
});

it("refuses a series that another metric has already, and counts it", () => {
  const mapper = createMapper();
  mapper.map(reqs, new Map());
  const gauge: Metric = { name: "http_reqs_total", type: "gauge", contains: "default" };
  expect(mapper.map(gauge, new Map())).toBe("series_collision");
  expect(mapper.counts.outputCollisions).toBe(1);
});

it("folds what is beyond the limit into one visible series per metric, and stays at the limit", () => {
  const mapper = createMapper({ maxSeries: 10, runLabels: [{ name: "testid", value: "t" }] });
  const mapped = new Set<unknown>();
  for (let id = 0; id < 1_000; id++) {
    mapped.add(mapper.map(reqs, tagsOf({ name: `http://shop.test/${id}` })));
  }
  const other = mapper.map(reqs, tagsOf({ name: "one more" }));
  expect(names(other)).toEqual(['k6_http_reqs_total{name="(other)",testid="t"}']);
  expect(mapped.has(other)).toBe(true);
  expect(mapped.size).toBe(11);
  expect(mapper.counts).toMatchObject({ overflowed: 991, series: 11 });
  // A series from before the limit is still itself.
  expect(names(mapper.map(reqs, tagsOf({ name: "http://shop.test/3" })))).toEqual([
    'k6_http_reqs_total{name="http://shop.test/3",testid="t"}',
  ]);
});

it("lets a hundred metrics begin at the limit, and no more", () => {
  const mapper = createMapper({ maxSeries: 10 });
  const results = Array.from({ length: 1_000 }, (_, id) =>
    mapper.map({ name: `made_${id}`, type: "counter", contains: "default" }, new Map()),
  );
  expect(results.filter((mapped) => mapped === "too_many_metrics")).toHaveLength(890);
  expect(names(results[109] ?? "")).toEqual(['k6_made_109_total{name="(other)"}']);
  expect(mapper.counts.series).toBe(110);
});

it("counts URLs of one template together, under `name` or `url`", () => {
  const nameTemplate = (name: string): string => name.replace(/\d+$/, "{id}");
  const mapper = createMapper({ nameTemplate });
  const one = mapper.map(reqs, tagsOf({ name: "http://shop.test/products/1", url: "http://x/1" }));
  const two = mapper.map(reqs, tagsOf({ name: "http://shop.test/products/2", url: "http://x/2" }));
  expect(two).toBe(one);
  expect(names(one)).toEqual(['k6_http_reqs_total{name="http://shop.test/products/{id}"}']);
  expect(names(mapper.map(reqs, tagsOf({ url: "ws://shop.test/3", group: "4" })))).toEqual([
    'k6_http_reqs_total{group="4",url="ws://shop.test/{id}"}',
  ]);
});

it("keeps its own labels where a tag would take their place", () => {
  const mapper = createMapper({ trendForm: "classic" });
  const series = names(mapper.map(duration, tagsOf({ le: "mine", __name__: "other" })));
  expect(series[0]).toBe('k6_http_req_duration_seconds_bucket{le="0.001",tag__name__="other"}');
  // `_sum` has no `le` of its own, so the tag is kept there.
  expect(series.at(-1)).toBe('k6_http_req_duration_seconds_count{le="mine",tag__name__="other"}');
});

it("keeps the run's tags on the series that takes what is beyond the limit", () => {
  const mapper = createMapper({ maxSeries: 0, extraTags: tagsOf({ env: "prod" }) });
  expect(names(mapper.map(reqs, tagsOf({ name: "x" })))).toEqual([
    'k6_http_reqs_total{env="prod",name="(other)"}',
  ]);
});

it("leaves out tags beyond what stores take, and sums what they told apart", () => {
  const many = (last: string): Map<string, string> =>
    new Map(Array.from({ length: 40 }, (_, i) => [`tag${100 + i}`, i === 39 ? last : "x"]));
  const mapper = createMapper({ runLabels: [{ name: "testid", value: "t" }] });
  const one = mapper.map(duration, many("a"));
  expect(mapper.map(duration, many("b"))).toBe(one);
  const [output] = (one as MappedSeries).outputs;
  // The name, the run's label, and 27 of 40: one place is left for `le` or `condition`.
  expect(output?.series.labels).toHaveLength(29);
  expect(output?.series.labels).toContainEqual({ name: "testid", value: "t" });
  expect(mapper.counts.excess).toBe(26);
});

it("renames the family of a series that a rule renames, and knows what its points are", () => {
  const rename = (text: string): string => text.replace("k6_", "load_");
  const mapper = createMapper({
    trendForm: "classic",
    relabel: (labels) => labels.map(({ name, value }) => ({ name, value: rename(value) })),
  });
  const classic = mapper.map(duration, new Map()) as MappedSeries;
  expect(new Set(classic.outputs.map(({ series }) => series.family.name))).toEqual(
    new Set(["load_http_req_duration_seconds"]),
  );
  expect(classic.outputs.some(({ series }) => series.isNative)).toBe(false);
  const [native] = (
    createMapper({ relabel: (labels) => [...labels] }).map(duration, new Map()) as MappedSeries
  ).outputs;
  expect(native?.series.isNative).toBe(true);
});

it("counts outputs that a rule makes equal to those of other samples", () => {
  const mapper = createMapper({
    relabel: (labels) =>
      labels.some(({ value }) => value === "k6_checks_rate")
        ? labels.filter(({ name }) => name !== "check")
        : [...labels],
  });
  const checks: Metric = { name: "checks", type: "rate", contains: "default" };
  mapper.map(checks, tagsOf({ check: "a" }));
  mapper.map(checks, tagsOf({ check: "b" }));
  expect(mapper.counts.outputCollisions).toBe(1);
});
