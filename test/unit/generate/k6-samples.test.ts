import { describe, expect, it } from "vitest";
import {
  apiAddress,
  bucketsEnvironment,
  isLogHeard,
  refusesBuckets,
  whyLines,
  whyNoBuckets,
} from "../../../src/generate/k6-samples.ts";

const question = { args: [], env: {}, pushIntervalMs: 1_000 };

describe("whyNoBuckets", () => {
  it.each([
    { what: "nothing special", more: {} },
    { what: "an interval of whole seconds", more: { pushIntervalMs: 5_000 } },
    { what: "another output", more: { args: ["-o", "csv=cloud"] } },
    { what: "its own address", more: { args: ["--address", ":6565"] } },
    { what: "a summary in full", more: { args: ["--summary-mode=full"] } },
    { what: "a summary that is not left out", more: { args: ["--no-summary=0"] } },
    { what: "the same by a variable", more: { env: { K6_NO_SUMMARY: "F" } } },
    {
      what: "a flag that is stronger than the variable",
      more: { args: ["--no-summary=false"], env: { K6_NO_SUMMARY: "1" } },
    },
  ])("has nothing against $what", ({ more }) => {
    expect(whyNoBuckets({ ...question, ...more })).toBeUndefined();
  });

  it.each([
    { more: { pushIntervalMs: 500 }, says: "whole seconds" },
    { more: { args: ["--out", "cloud"] }, says: "cloud output is in use" },
    { more: { env: { K6_OUT: "csv=a,cloud" } }, says: "cloud output is in use" },
    { more: { env: { K6_CLOUD_PUSH_REF_ID: "7" } }, says: "K6_CLOUD_PUSH_REF_ID" },
    { more: { args: ["--summary-mode", "disabled"] }, says: "summary is disabled" },
    { more: { env: { K6_SUMMARY_MODE: "disabled" } }, says: "summary is disabled" },
    { more: { args: ["--no-summary"] }, says: "summary is disabled" },
    { more: { args: ["--no-summary=T"] }, says: "summary is disabled" },
    { more: { env: { K6_NO_SUMMARY: "1" } }, says: "summary is disabled" },
    { more: { env: { K6_NO_SUMMARY: "True" } }, says: "summary is disabled" },
    { more: { args: ["--address="] }, says: "REST API" },
  ])("says what stands against $more", ({ more, says }) => {
    expect(whyNoBuckets({ ...question, ...more })).toContain(says);
  });
});

it.each([
  { args: [], env: {}, isHeard: true },
  { args: ["--log-output=stderr"], env: { K6_LOG_OUTPUT: "none" }, isHeard: true },
  { args: ["--log-output", "file=k6.log"], env: {}, isHeard: false },
  { args: [], env: { K6_LOG_OUTPUT: "stdout" }, isHeard: false },
])("hears what k6 logs with $args and $env: $isHeard", ({ isHeard, ...question }) => {
  expect(isLogHeard(question)).toBe(isHeard);
});

describe("whyLines", () => {
  it.each([
    "",
    "new Trend('a', true); new metrics.Trend(`b`, true,)",
    'import { Counter, Trend } from "k6/metrics"; const t = new Trend("a", true);',
    "const { Trend } = require('k6/metrics');",
    'const t: Trend = new Trend("a", true); let u:m.Trend=new m.Trend("b", true);',
    'import {\n  Rate as Share,\n  Trend,\n} from "k6/metrics"; new Trend("a", true)',
    'import * as metrics from "k6/metrics"; new metrics.Trend("a", true); data.metrics.iterations',
    'import metrics from "k6/metrics"; new metrics.Counter("a")',
    "const m = require('k6/metrics'); new m.Trend(name, true);",
    "class Page { constructor() {} }",
    "new Trends('a')",
    'import http from "k6/http"; import { sleep } from "k6"; const d = open("./users.json");',
    'import { load } from "./lib.js"; import "../metrics.js"; const lib = require("/lib.js");',
  ])("has nothing against %j", (source) => expect(whyLines(["", source], false)).toBeUndefined());

  it.each([
    "const t = new Trend('draught');",
    "const t: Trend = new Trend('draught');",
    'const { t: Trend = new Rate("a") } = made; new Trend("b");',
    "new Trend('a', true); new k6.Trend('b', false)",
    'import { Trend as T } from "k6/metrics"; new T("a");',
    "const make = metrics.Trend;",
    'new metrics["Trend"]("a")',
    "new Trend(nameOf('a'), true)",
    'import { Trend } from "k6/metrics"; make("ratio", Trend, {});',
    'import { Rate, Trend, Gauge } from "k6/metrics"; [Rate, Trend, Gauge].map((K) => new K("x"));',
    'const kinds = { Rate, Trend, Gauge }; new kinds[k]("x");',
    'new Trend("x", false, true)',
    'new Trend("x" /*, true) */, false)',
    'export { Trend } from "k6/metrics";',
    'export * from "k6/metrics";',
    'import { Trend } from "./metrics.js";',
    'import * as metrics from "k6/metrics"; new metrics[kind]("a");',
    'import * as metrics from "k6/metrics"; new metrics.default[kind]("a");',
    'import * as metrics from "k6/metrics"; const { Rate, ...others } = metrics;',
    'import * as metrics from "k6/metrics"; make(...metrics);',
    'import metrics from "k6/metrics"; export default metrics;',
    'import { default as m } from "k6/metrics"; new m[kind]("a");',
    'import { "Trend" as T } from "k6/metrics"; new T("a");',
    'import { Tr\\u0065nd } from "k6/metrics"; new Tr\\u0065nd("a");',
    'const { Trend: T } = require("k6/metrics"); new T("a");',
    'const T = require("k6/metrics")["Tr" + "end"]; new T("a");',
    'const metrics = await import("k6/metrics");',
    'import { Trend } from "k6/metrics"; eval("new Tr" + "end(1)");',
    'new (new Trend("a", true).constructor)("b")',
  ])("knows, or is in doubt, that there is a trend of plain numbers in %j", (source) =>
    expect(whyLines(["", source], false)).toContain("plain numbers"),
  );

  it.each([
    "const lib = require(name);",
    "const lib = await import(`${folder}/lib.js`);",
    'const m = require("k6/" + "metrics");',
    "const m = require(`k6/${name}`);",
    'const load = require; load("k6/" + name);',
    'const m = require("k6/m\\u0065trics");',
    'import { x } from "https://jslib.k6.io/x/1.0.0/index.js";',
    'import { browser } from "k6/browser";',
    'import sql from "k6/x/sql";',
  ])("does not know what metrics are made by %j", (source) =>
    expect(whyLines(["", source], false)).toContain("a module"),
  );

  it("leaves classic buckets, and what it cannot look at, to lines", () => {
    expect(whyLines([""], true)).toContain("classic buckets");
    expect(whyLines(undefined, false)).toContain("nobody knows");
  });
});

describe("apiAddress", () => {
  it.each([
    [["--address", ":1"], { K6_ADDRESS: ":2" }, ":1"],
    [[], { K6_ADDRESS: ":2" }, undefined],
    [[], { K6_ADDRESS: "" }, ""],
    [[], {}, undefined],
  ])("of %j and %j is %j", (args, env, address) => {
    expect(apiAddress(args, env)).toBe(address);
  });
});

describe("refusesBuckets", () => {
  it.each([
    [`level=error msg="Error from API server" error="listen tcp :1: bind: address already in use"`],
    [`level=error msg="could not create the 'cloud' output: metrics push concurrency must be`],
  ])("knows %s", (line) => expect(refusesBuckets(line)).toBe(true));

  it("does not take a script's own words for it", () => {
    expect(refusesBuckets('level=info msg="the cloud output is full" source=console')).toBe(false);
  });
});

describe("bucketsEnvironment", () => {
  it("has nothing of the user's cloud, and all else", () => {
    const env = { HOME: "/h", K6_VUS: "3", K6_CLOUD_TOKEN: "t", K6_CLOUD_METRICS_PUSH_URL: "u" };
    expect(bucketsEnvironment({ ...env, K6_CLOUD_TIMEOUT: "bogus" }, "http://c")).toEqual({
      HOME: "/h",
      K6_VUS: "3",
      K6_CLOUD_HOST: "http://c",
      K6_CLOUD_API_VERSION: "2",
      K6_CLOUD_TIMEOUT: "1m",
      K6_CLOUD_METRIC_PUSH_CONCURRENCY: "1",
    });
  });
});
