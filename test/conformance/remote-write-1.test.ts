/**
 * Remote-Write 1.0: a test for each MUST that binds a sender, named by its section. docs/conformance.md has the whole
 * list; a test in test/architecture/ holds the two together.
 *
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
import { uncompressSync } from "snappy";
import { beforeAll, expect, it } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { resolveLibraryOptions } from "../../src/library/options.ts";
import {
  conformanceRun,
  type ConformanceRun,
  labelOf,
  seriesOf,
} from "../support/conformance-run.ts";
import {
  expectDelivered,
  expectEnded,
  expectOnlyStaleNaN,
  expectOrdered,
} from "../support/conformance-series.ts";
import { storedAnswer } from "../support/receiver-server.ts";
import { WriteRequestBits } from "../support/remote-write-proto.ts";

let run: ConformanceRun;
beforeAll(async () => {
  run = await conformanceRun("1");
  // So that no test looks at nothing.
  expect(run.requests.length).toBeGreaterThan(5);
  expect(seriesOf(run).length).toBeGreaterThan(30);
});

const everySeries = () => run.requests.flatMap(({ series }) => series);

/** Bodies, in the order in which they came; one that came twice is there twice. */
const bodiesOf = ({ requests }: Pick<ConformanceRun, "requests">) =>
  requests.map(({ body }) => body.toString("base64"));

it("Protocol: MUST POST the request to the provided URL path", () => {
  for (const { method, path } of run.requests) {
    expect(method).toBe("POST");
    expect(path).toBe(run.path);
  }
});

it("Protocol: MUST encode with Protobuf 3 and the schema", () => {
  for (const { body } of run.requests) {
    const message = uncompressSync(body, { asBuffer: true }) as Buffer;
    // A field that the schema has not would be lost on the way.
    const again = WriteRequestBits.encode(WriteRequestBits.decode(message)).finish();
    expect(again.length).toBe(message.length);
  }
});

it("Protocol: MUST compress with Snappy's block format, never the framed one", () => {
  for (const { body } of run.requests) {
    expect(body.subarray(0, 4)).not.toEqual(Buffer.from([0xff, 0x06, 0x00, 0x00]));
    expect(() => uncompressSync(body)).not.toThrow();
  }
});

it("Protocol: timestamps MUST be int64 milliseconds since the epoch", () => {
  const { lastPointMs } = run.report;
  for (const { samples, histograms } of everySeries()) {
    for (const { timestampMs } of [...samples, ...histograms]) {
      expect(Number.isInteger(timestampMs)).toBe(true);
      expect(Math.abs(timestampMs - lastPointMs)).toBeLessThan(60_000);
    }
  }
});

it("Protocol: values MUST be float64", () => {
  // A third has no exact form, and the nearest float64 is not the nearest float32.
  const values = everySeries()
    .filter((one) => labelOf(one, "__name__") === "k6_queue")
    .flatMap(({ samples }) => samples.map(({ value }) => value));
  expect(values).toContain(-59 / 3);
});

it("Protocol: MUST send Content-Encoding: snappy", () => {
  for (const { headers } of run.requests) expect(headers["content-encoding"]).toBe("snappy");
});

it("Protocol: MUST send Content-Type: application/x-protobuf", () => {
  for (const { headers } of run.requests) {
    expect(headers["content-type"]).toBe("application/x-protobuf");
  }
});

it("Protocol: MUST send User-Agent with name and version", () => {
  for (const { headers } of run.requests) {
    expect(headers["user-agent"]).toMatch(/^plimsoll\/\d+\.\d+\.\d+$/);
  }
});

it("Protocol: MUST send X-Prometheus-Remote-Write-Version: 0.1.0", () => {
  for (const { headers } of run.requests) {
    expect(headers["x-prometheus-remote-write-version"]).toBe("0.1.0");
  }
});

it("Protocol: MUST NOT let users configure reserved headers", () => {
  const reserved = [
    "Content-Encoding",
    "content-type",
    "USER-AGENT",
    "X-Prometheus-Remote-Write-Version",
  ];
  for (const name of reserved) {
    expect(() => resolveLibraryOptions({ headers: { [name]: "mine" } }), name).toThrow(ConfigError);
  }
  expect(resolveLibraryOptions({ headers: { "X-Scope-OrgID": "a" } }).headers.size).toBe(1);
});

it("Protocol: MUST ignore the body of a success", async () => {
  const body = "error: out of order sample";
  const { report } = await conformanceRun("1", { defaultAnswer: () => ({ status: 200, body }) });
  expectDelivered(report);
});

it("Labels: MUST send the complete set with each sample", () => {
  for (const one of everySeries()) {
    expect(labelOf(one, "testid")).toBe("run-1");
    expect(labelOf(one, "test")).toBe("conformance");
    expect(labelOf(one, "__name__")).toBeDefined();
  }
  const routes = everySeries().filter((one) => labelOf(one, "route") === "/cart");
  for (const one of routes) expect(labelOf(one, "Zone")).toBe("upper");
  expect(routes.length).toBeGreaterThan(5);
});

it("Labels: MUST NOT repeat a name", () => {
  for (const { labels } of everySeries()) {
    expect(new Set(labels.map(({ name }) => name)).size).toBe(labels.length);
  }
});

it("Labels: MUST sort names lexicographically", () => {
  for (const { labels } of everySeries()) {
    const names = labels.map(({ name }) => Buffer.from(name));
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(a, b)));
  }
  // Byte order: an upper-case letter comes before the underscores of the name.
  expect(everySeries().some(({ labels }) => labels[0]?.name === "Zone")).toBe(true);
});

it("Labels: MUST NOT send an empty name or value", () => {
  for (const { name, value } of everySeries().flatMap(({ labels }) => labels)) {
    expect(name).not.toBe("");
    expect(value).not.toBe("");
  }
});

it("Labels: metric names MUST match the regex", () => {
  for (const one of everySeries()) {
    expect(labelOf(one, "__name__")).toMatch(/^[a-zA-Z_:]([a-zA-Z0-9_:])*$/);
  }
});

it("Labels: label names MUST match the regex", () => {
  for (const { name } of everySeries().flatMap(({ labels }) => labels)) {
    expect(name).toMatch(/^[a-zA-Z_]([a-zA-Z0-9_])*$/);
  }
});

it("Labels: MUST send valid label values only", () => {
  const values = everySeries().flatMap(({ labels }) => labels.map(({ value }) => value));
  expect(values).toContain("⚓");
  // Half of a pair, which UTF-8 cannot spell, was replaced before it was encoded.
  expect(values).toContain("\ufffd");
  for (const value of values) expect(Buffer.from(value).toString()).toBe(value);
});

it("Labels: SHOULD NOT use reserved names, but __name__", () => {
  const names = new Set(everySeries().flatMap(({ labels }) => labels.map(({ name }) => name)));
  expect([...names].filter((name) => name.startsWith("__"))).toEqual(["__name__"]);
});

it("Labels: MUST NOT interpret the error message, and SHOULD log it as is", async () => {
  const body = "please retry, the sample was stored, 415 unsupported media type";
  const refused = await conformanceRun("1", { defaultAnswer: () => ({ status: 400, body }) });
  expect(refused.report.points.delivered).toBe(0);
  expect(refused.report.points.pending).toBe(0);
  expect(Object.keys(refused.report.points.rejected)).toEqual(["http_400"]);
  expect(new Set(bodiesOf(refused)).size).toBe(refused.requests.length);
  expect(refused.report.notices.join()).toContain(body);
});

it("Ordering: MUST send the samples of a series in timestamp order", () => {
  expect(expectOrdered(run)).toBeGreaterThan(100);
  expect(run.violations).toEqual([]);
});

it("Ordering: MUST keep that order where requests have to be repeated", async () => {
  const answers = [{ status: 503 }, "reset" as const, { status: 500 }];
  const repeated = await conformanceRun("1", { answers });
  expect(repeated.violations).toEqual([]);
  expectDelivered(repeated.report);
});

it("Retries & Backoff: MUST retry on 5xx", async () => {
  const answers = [500, 502, 503, 599].map((status) => ({ status }));
  const repeated = await conformanceRun("1", { answers });
  expect(new Set(bodiesOf(repeated).slice(0, 5)).size).toBe(1);
  expectDelivered(repeated.report);
});

it("Retries & Backoff: MUST back off", async () => {
  const away = { defaultAnswer: () => ({ status: 500 }) };
  const { requests, report } = await conformanceRun("1", away, { drainTimeout: "1s" });
  // After 0, 100, 300 and 700 ms; without backing off there would be hundreds.
  expect(requests.length).toBeLessThanOrEqual(6);
  expect(report.points.pending).toBe(report.points.encoded);
});

it("Retries & Backoff: MUST NOT retry on 2xx", async () => {
  for (const status of [200, 202, 204]) {
    const stored = await conformanceRun("1", { defaultAnswer: () => ({ status }) });
    expect(new Set(bodiesOf(stored)).size).toBe(stored.requests.length);
    expectDelivered(stored.report);
  }
});

it("Retries & Backoff: MUST NOT retry on 4xx other than 429", async () => {
  for (const status of [400, 409, 413, 422]) {
    const answers = [{ status }];
    const refused = await conformanceRun("1", { answers });
    expect(new Set(bodiesOf(refused)).size, `HTTP ${status}`).toBe(refused.requests.length);
    expect(refused.report.points.pending).toBe(0);
  }
});

it("Retries & Backoff: MAY retry on 429", async () => {
  const answers = [{ status: 429, headers: { "Retry-After": "1" } }];
  const repeated = await conformanceRun("1", { answers });
  expect(new Set(bodiesOf(repeated).slice(0, 2)).size).toBe(1);
  expectDelivered(repeated.report);
});

it("Stale Markers: MUST end a series that is no longer appended to", () => {
  expect(expectEnded(run)).toBeGreaterThan(30);
});

it("Stale Markers: MUST use 0x7ff0000000000002, and MUST NOT use it otherwise", () => {
  expect(expectOnlyStaleNaN(run)).toBeGreaterThan(30);
});

it("Out of Scope: the HTTP path MUST be provided by the sender", () => {
  expect(new Set(run.requests.map(({ path }) => path))).toEqual(new Set([run.path]));
  expect(run.path).toBe("/api/v1/write/of/the/user?tenant=a");
});

it("Out of Scope: SHOULD keep samples while the receiver is away", async () => {
  let isAway = true;
  let asked = 0;
  const { report, violations } = await conformanceRun("1", {
    defaultAnswer: (request) => {
      isAway &&= ++asked < 4;
      return isAway ? { status: 503 } : storedAnswer(request);
    },
  });
  expectDelivered(report);
  expect(violations).toEqual([]);
});
