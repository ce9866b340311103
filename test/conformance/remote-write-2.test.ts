/**
 * Remote-Write 2.0: a test for each MUST that binds a sender, named by its section. docs/conformance.md has the whole
 * list; a test in test/architecture/ holds the two together.
 *
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (2.0-rc.4)
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
import { encodeWriteRequest } from "../support/encode-write-request.ts";
import { exchange } from "../support/exchange.ts";
import { type ReceivedRequest, storedAnswer } from "../support/receiver-server.ts";
import { Request2, Request2Bits } from "../support/remote-write-proto.ts";

const mediaType = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

let run: ConformanceRun;
beforeAll(async () => {
  run = await conformanceRun("2");
  // So that no test looks at nothing.
  expect(run.requests.length).toBeGreaterThan(5);
  expect(seriesOf(run).length).toBeGreaterThan(30);
});

const everySeries = () => run.requests.flatMap(({ series }) => series);
const everyLabel = () => everySeries().flatMap(({ labels }) => labels);

/** Bodies, in the order in which they came; one that came twice is there twice. */
const bodiesOf = ({ requests }: Pick<ConformanceRun, "requests">) =>
  requests.map(({ body }) => body.toString("base64"));

const messageOf = ({ body }: ReceivedRequest) => uncompressSync(body, { asBuffer: true }) as Buffer;

/** A receiver of 1.0 that looks at no content type: it takes everything, and says so. */
const onlyKnows1 = { defaultAnswer: () => ({ status: 204 }) };

it("Protocol: MUST support io.prometheus.write.v2.Request, in Protobuf's binary format", () => {
  for (const request of run.requests) {
    const message = messageOf(request);
    // A field that the schema has not would be lost on the way.
    const again = Request2Bits.encode(Request2Bits.decode(message)).finish();
    expect(again.length).toBe(message.length);
  }
});

it("Protocol: MUST use one of the two messages", async () => {
  const { requests } = await conformanceRun("1");
  expect(new Set(requests.map(({ protocol }) => protocol))).toEqual(new Set(["1"]));
  expect(new Set(run.requests.map(({ protocol }) => protocol))).toEqual(new Set(["2"]));
});

it("Protocol: MUST compress with Snappy's block format, never the framed one", () => {
  for (const { body } of run.requests) {
    expect(body.subarray(0, 4)).not.toEqual(Buffer.from([0xff, 0x06, 0x00, 0x00]));
    expect(() => uncompressSync(body)).not.toThrow();
  }
});

it("Protocol: MUST POST the request to the provided URL path", () => {
  for (const { method, path } of run.requests) {
    expect(method).toBe("POST");
    expect(path).toBe(run.path);
  }
});

it("Protocol: MUST send the reserved headers", () => {
  const reserved = [
    "content-encoding",
    "content-type",
    "x-prometheus-remote-write-version",
    "user-agent",
  ];
  for (const { headers } of run.requests)
    expect(Object.keys(headers)).toEqual(expect.arrayContaining(reserved));
});

it("Protocol: MUST NOT let users configure reserved headers", () => {
  for (const name of [
    "content-encoding",
    "Content-Type",
    "USER-AGENT",
    "X-Prometheus-Remote-Write-Version",
  ]) {
    expect(() => resolveLibraryOptions({ headers: { [name]: "mine" } }), name).toThrow(ConfigError);
  }
  expect(resolveLibraryOptions({ headers: { "X-Scope-OrgID": "a" } }).headers.size).toBe(1);
});

it("Content-Encoding: MUST be snappy, as RFC 9110 writes it", () => {
  for (const { headers } of run.requests) expect(headers["content-encoding"]).toBe("snappy");
});

it("Content-Type: MUST be application/x-protobuf, one of the three values, as RFC 9110 writes it", () => {
  // Without a space: Prometheus takes "; proto=" for a message of 1.0, and stores nothing.
  for (const { headers } of run.requests) expect(headers["content-type"]).toBe(mediaType);
});

it("Content-Type: SHOULD be application/x-protobuf for receivers of 1.x", async () => {
  const { requests } = await conformanceRun("1");
  for (const { headers } of requests)
    expect(headers["content-type"]).toBe("application/x-protobuf");
});

it("X-Prometheus-Remote-Write-Version: MUST be 0.1.0 for receivers of 1.x", async () => {
  const { requests } = await conformanceRun("2", onlyKnows1);
  const [first, ...others] = requests.map(
    ({ headers }) => headers["x-prometheus-remote-write-version"],
  );
  expect(first).toBe("2.0.0");
  expect(new Set(others)).toEqual(new Set(["0.1.0"]));
});

it("X-Prometheus-Remote-Write-Version: SHOULD be 2.0.0 otherwise", () => {
  for (const { headers } of run.requests) {
    expect(headers["x-prometheus-remote-write-version"]).toBe("2.0.0");
  }
});

it("User-Agent: MUST be there, and SHOULD be as RFC 9110 has it", () => {
  for (const { headers } of run.requests) {
    expect(headers["user-agent"]).toMatch(/^plimsoll\/\d+\.\d+\.\d+$/);
  }
});

it("Response: MUST ignore the body of a success", async () => {
  const { report } = await conformanceRun("2", {
    defaultAnswer: (request) => {
      const answer = storedAnswer(request);
      if (typeof answer === "string") throw new Error(answer);
      return { ...answer, status: 200, body: "error: out of order sample" };
    },
  });
  expectDelivered(report);
});

it("Response: MUST NOT interpret the error message, and SHOULD log it as is", async () => {
  const body = "please retry with another content type: 415 unsupported media type";
  const refused = await conformanceRun("2", { defaultAnswer: () => ({ status: 400, body }) });
  expect(refused.report.points).toMatchObject({ delivered: 0, pending: 0 });
  expect(Object.keys(refused.report.points.rejected)).toEqual(["http_400"]);
  expect(new Set(bodiesOf(refused)).size).toBe(refused.requests.length);
  expect(new Set(refused.requests.map(({ protocol }) => protocol))).toEqual(new Set(["2"]));
  expect(refused.report.notices.join()).toContain(body);
});

it("Written headers: a missing one CAN be taken for 0", async () => {
  const timestampMs = 1_700_000_000_000;
  const batch = encodeWriteRequest({ protocol: "2", timestampMs, float: 1, histogramCount: 2 });
  const headers = { "X-Prometheus-Remote-Write-Samples-Written": "1" };
  for (const status of [204, 400]) {
    const { outcome } = await exchange(batch, { status, headers });
    expect(outcome).toMatchObject({ samplesWritten: 1, histogramsWritten: 0 });
  }
});

it("Written headers: MUST NOT take a missing one for 0 with the message of 1.0", async () => {
  expectDelivered((await conformanceRun("1", onlyKnows1)).report);
});

it("Written headers: SHOULD take a 2xx without any for a 415", async () => {
  const { requests, report } = await conformanceRun("2", onlyKnows1);
  expect(requests[0]?.protocol).toBe("2");
  // The same points again, in the other message.
  expect(requests[1]?.protocol).toBe("1");
  expect(requests[1]?.series).toHaveLength(requests[0]?.series.length ?? NaN);
  expectDelivered(report);
});

it("Written headers: MUST NOT assume the receiver's version from response headers", async () => {
  const { requests, report } = await conformanceRun("2", {
    defaultAnswer: (request) => {
      const answer = storedAnswer(request);
      if (typeof answer === "string") throw new Error(answer);
      return {
        ...answer,
        headers: { ...answer.headers, "X-Prometheus-Remote-Write-Version": "0.1.0" },
      };
    },
  });
  expect(new Set(requests.map(({ protocol }) => protocol))).toEqual(new Set(["2"]));
  expectDelivered(report);
});

it("Partial Write: MAY use the headers to account for what was stored", async () => {
  const headers = {
    "X-Prometheus-Remote-Write-Samples-Written": "3",
    "X-Prometheus-Remote-Write-Histograms-Written": "1",
  };
  const answers = [{ status: 400, headers, body: "too old" }];
  const { requests, report } = await conformanceRun("2", { answers });
  const points = requests[0]?.series.length ?? NaN;
  expect(report.points.rejected).toEqual({ http_400: points - 4 });
});

it("Partial Write: SHOULD send many series in a request", () => {
  expect(Math.max(...run.requests.map(({ series }) => series.length))).toBeGreaterThan(20);
});

it("Invalid Samples: MUST NOT retry on 4xx other than 429", async () => {
  for (const status of [400, 409, 413, 422]) {
    const refused = await conformanceRun("2", { answers: [{ status }] });
    expect(new Set(bodiesOf(refused)).size, `HTTP ${status}`).toBe(refused.requests.length);
    expect(refused.report.points.pending).toBe(0);
  }
});

it("Invalid Samples: MAY retry on 415 with another content type", async () => {
  const { requests, report } = await conformanceRun("2", { answers: [{ status: 415 }] });
  expect(requests.slice(0, 2).map(({ protocol }) => protocol)).toEqual(["2", "1"]);
  expectDelivered(report);
});

it("Retries & Backoff: MUST retry on 5xx", async () => {
  const answers = [500, 502, 503, 599].map((status) => ({ status }));
  const repeated = await conformanceRun("2", { answers });
  expect(new Set(bodiesOf(repeated).slice(0, 5)).size).toBe(1);
  expectDelivered(repeated.report);
});

it("Retries & Backoff: MUST back off", async () => {
  const away = { defaultAnswer: () => ({ status: 500 }) };
  const { requests, report } = await conformanceRun("2", away, { drainTimeout: "1s" });
  // After 0, 100, 300 and 700 ms; without backing off there would be hundreds.
  expect(requests.length).toBeLessThanOrEqual(6);
  expect(report.points.pending).toBe(report.points.encoded);
});

it("Retries & Backoff: MAY retry on 429, and MAY handle Retry-After", async () => {
  const answers = [{ status: 429, headers: { "Retry-After": "1" } }];
  const repeated = await conformanceRun("2", { answers });
  expect(new Set(bodiesOf(repeated).slice(0, 2)).size).toBe(1);
  expectDelivered(repeated.report);
});

it("Message: timestamps MUST be int64 milliseconds since the epoch", () => {
  const { lastPointMs } = run.report;
  for (const { samples, histograms } of everySeries()) {
    for (const { timestampMs, startTimestampMs } of [...samples, ...histograms]) {
      expect(Number.isInteger(timestampMs)).toBe(true);
      expect(Math.abs(timestampMs - lastPointMs)).toBeLessThan(60_000);
      expect(Number.isInteger(startTimestampMs)).toBe(true);
    }
  }
});

it("Message: values MUST be float64", () => {
  // A third has no exact form, and the nearest float64 is not the nearest float32.
  const values = everySeries()
    .filter((one) => labelOf(one, "__name__") === "k6_queue")
    .flatMap(({ samples }) => samples.map(({ value }) => value));
  expect(values).toContain(-59 / 3);
});

it("Message: labels_refs MUST be provided", () => {
  for (const { labels } of everySeries()) expect(labels.length).toBeGreaterThanOrEqual(3);
});

it("Message: a TimeSeries MUST have a sample or a histogram, and MUST NOT have both", () => {
  const kinds = { samples: 0, histograms: 0 };
  for (const { samples, histograms } of everySeries()) {
    expect(samples.length > 0).toBe(histograms.length === 0);
    kinds.samples += samples.length;
    kinds.histograms += histograms.length;
  }
  expect(Math.min(kinds.samples, kinds.histograms)).toBeGreaterThan(10);
});

it("Message: metadata SHOULD be provided", () => {
  for (const { metadata } of everySeries()) {
    expect(["COUNTER", "GAUGE", "HISTOGRAM"]).toContain(metadata?.type);
    expect(metadata?.help).not.toBe("");
  }
});

it("Symbols: the table MUST be provided, deduplicated", () => {
  for (const { symbols } of run.requests) {
    expect(symbols.length).toBeGreaterThan(3);
    expect(new Set(symbols).size).toBe(symbols.length);
  }
});

it("Symbols: the first one MUST be the empty string", () => {
  for (const { symbols } of run.requests) expect(symbols[0]).toBe("");
});

it("Symbols: references MUST point into the table", () => {
  let count = 0;
  for (const request of run.requests) {
    const message = Request2.toObject(Request2.decode(messageOf(request)), { defaults: true });
    const timeseries: readonly {
      readonly labels_refs: readonly number[];
      readonly metadata: { readonly help_ref: number; readonly unit_ref: number };
    }[] = message["timeseries"];
    for (const { labels_refs: labels, metadata } of timeseries) {
      expect(labels.length % 2).toBe(0);
      for (const reference of [...labels, metadata.help_ref, metadata.unit_ref]) {
        expect(reference).toBeLessThan(request.symbols.length);
        count += 1;
      }
    }
  }
  expect(count).toBeGreaterThan(500);
});

it("Series Labels: MUST send the complete set with each sample", () => {
  for (const one of everySeries()) {
    expect(labelOf(one, "testid")).toBe("run-1");
    expect(labelOf(one, "test")).toBe("conformance");
    expect(labelOf(one, "__name__")).toBeDefined();
  }
  const routes = everySeries().filter((one) => labelOf(one, "route") === "/cart");
  for (const one of routes) expect(labelOf(one, "Zone")).toBe("upper");
  expect(routes.length).toBeGreaterThan(5);
});

it("Series Labels: MUST NOT repeat a name", () => {
  for (const { labels } of everySeries()) {
    expect(new Set(labels.map(({ name }) => name)).size).toBe(labels.length);
  }
});

it("Series Labels: MUST sort names lexicographically", () => {
  for (const { labels } of everySeries()) {
    const names = labels.map(({ name }) => Buffer.from(name));
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(a, b)));
  }
  expect(everySeries().some(({ labels }) => labels[0]?.name === "Zone")).toBe(true);
});

it("Series Labels: MUST NOT send an empty name or value", () => {
  for (const { name, value } of everyLabel()) {
    expect(name).not.toBe("");
    expect(value).not.toBe("");
  }
});

it("Series Labels: names and values MUST be UTF-8", () => {
  const values = everyLabel().map(({ value }) => value);
  expect(values).toContain("⚓");
  // Half of a pair, which UTF-8 cannot spell, was replaced before it was encoded.
  expect(values).toContain("\ufffd");
  for (const value of values) expect(Buffer.from(value).toString()).toBe(value);
});

it("Series Labels: names SHOULD match the regexes, and SHOULD NOT be reserved", () => {
  for (const { name, value } of everyLabel()) {
    if (name === "__name__") expect(value).toMatch(/^[a-zA-Z_:]([a-zA-Z0-9_:])*$/);
    else expect(name).toMatch(/^(?!__)[a-zA-Z_]([a-zA-Z0-9_])*$/);
  }
});

it("Samples: MUST send those of a series in timestamp order", () => {
  expect(expectOrdered(run)).toBeGreaterThan(100);
  expect(run.violations).toEqual([]);
});

it("Samples: start_timestamp SHOULD be provided for counters and counter histograms", () => {
  let count = 0;
  for (const { samples, histograms, metadata } of everySeries()) {
    for (const point of [...samples, ...histograms]) {
      if (metadata?.type === "GAUGE") expect(point.startTimestampMs).toBe(0);
      // The zero before a counter's first sample is where it starts; a stale marker starts nothing.
      if (metadata?.type === "GAUGE" || point.isStale || point.startTimestampMs === 0) continue;
      expect(point.startTimestampMs).toBeLessThan(point.timestampMs);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(50);
});

it("Samples: time 0 MUST be 1 or -1, and no sample of then is taken", () => {
  expect(run.report.samples.dropped).toEqual({ not_finite: 1, timestamp_out_of_range: 1 });
  for (const { samples, histograms } of everySeries()) {
    for (const { timestampMs } of [...samples, ...histograms]) expect(timestampMs).not.toBe(0);
  }
});

it("Samples: MUST end a series whose end can be detected", () => {
  expect(expectEnded(run)).toBeGreaterThan(30);
});

it("Samples: stale markers MUST be 0x7ff0000000000002, which MUST NOT be used otherwise", () => {
  expect(expectOnlyStaleNaN(run)).toBeGreaterThan(30);
});

it("Exemplars: MUST contain a value and a timestamp, and none is sent", () => {
  for (const request of run.requests) {
    const message = Request2.toObject(Request2.decode(messageOf(request)), {
      defaults: true,
      arrays: true,
    });
    const timeseries: readonly { readonly exemplars: readonly unknown[] }[] = message["timeseries"];
    expect(timeseries.flatMap(({ exemplars }) => exemplars)).toEqual([]);
  }
});
