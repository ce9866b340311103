import { array, assert, constantFrom, double, integer, oneof, property, record } from "fast-check";
import { uncompressSync, compressSync } from "snappy";
import { describe, expect, it } from "vitest";
import { ExponentialHistogram } from "../../../src/aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../../../src/aggregate/series-point.ts";
import { BatchEncoder } from "../../../src/encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../../../src/encode/encoded-batch.ts";
import { byName } from "../../../src/encode/labels.ts";
import { RemoteWrite1Writer } from "../../../src/encode/remote-write-1.ts";
import { RemoteWrite2Writer } from "../../../src/encode/remote-write-2.ts";
import { toRemoteWrite1 } from "../../../src/encode/transcode.ts";
import { decodeWriteRequest } from "../../support/decode-write-request.ts";

const t = 1_700_000_000_000;

function seriesOf(
  id: number,
  labels: Readonly<Record<string, string>>,
  family: Partial<OutputSeries["family"]> = {},
): OutputSeries {
  const name = labels["__name__"] ?? "";
  return {
    id,
    labels: Object.entries(labels)
      .map(([label, value]) => ({ name: label, value }))
      .sort(byName),
    family: { name, type: "gauge", help: "", unit: "", ...family },
    isNative: family.type === "histogram" && (family.name ?? name) === name,
  };
}

function encode(
  protocol: RemoteWriteProtocol,
  write: (encoder: BatchEncoder) => void,
): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  const encoder = new BatchEncoder(protocol, (batch) => batches.push(batch));
  write(encoder);
  encoder.flush();
  return batches;
}

/** The series of a 1.0 message without its metadata, which follow after all series. */
function withoutMetadata(message: Uint8Array): string {
  const bytes = Buffer.from(message);
  const length = bytes[1] ?? 0;
  expect([bytes[0], length < 128]).toEqual([0x0a, true]);
  return bytes.subarray(0, length + 2).toString("hex");
}

// The vectors of the remote-write reference, appendix A: made with protobuf.js from Prometheus' schemas.
describe("golden bytes", () => {
  const plain = seriesOf(0, { __name__: "m" });
  const observed = {
    schema: 0,
    zeroThreshold: 2 ** -128,
    zeroCount: 0,
    count: 14,
    sum: 18.4,
    negative: { size: 0, indexes: new Int32Array(), counts: new Float64Array() },
    positive: {
      size: 5,
      indexes: Int32Array.of(-2, -1, 2, 4, 5),
      counts: Float64Array.of(3, 5, 1, 3, 2),
    },
  };

  it.each([
    [
      "1. a float of remote write 1.0",
      seriesOf(0, { __name__: "test_metric", job: "a" }),
      1.5,
      "0a350a170a085f5f6e616d655f5f120b746573745f6d65747269630a080a036a6f62120161121009000000000000f83f1080d095ffbc31",
    ],
    [
      "2. a zero of remote write 1.0, which is left out",
      plain,
      0,
      "0a180a0d0a085f5f6e616d655f5f12016d12071080d095ffbc31",
    ],
  ])("%s", (_, series, value, hex) => {
    const writer = new RemoteWrite1Writer();
    writer.float(series, t, value);
    expect(withoutMetadata(writer.finish())).toBe(hex);
  });

  it("3. a stale marker of remote write 1.0", () => {
    const writer = new RemoteWrite1Writer();
    writer.stale(plain, t);
    expect(withoutMetadata(writer.finish())).toBe(
      "0a210a0d0a085f5f6e616d655f5f12016d121009020000000000f07f1080d095ffbc31",
    );
  });

  it("4. metadata of remote write 1.0, behind the series", () => {
    const writer = new RemoteWrite1Writer();
    writer.float(seriesOf(0, { __name__: "test_total" }, { type: "counter", help: "h" }), t, 0);
    const hex = Buffer.from(writer.finish()).toString("hex");
    expect(hex.endsWith("1a110801120a746573745f746f74616c220168")).toBe(true);
  });

  it("7. a counter of remote write 2.0 with its start timestamp", () => {
    const writer = new RemoteWrite2Writer();
    writer.float(seriesOf(0, { __name__: "m_total" }, { type: "counter" }), t, 3, t - 60_000);
    const vector =
      "220022085f5f6e616d655f5f22076d5f746f74616c2a210a02010212170900000000000008401080d095ffbc3118a0fb91ffbc312a020801";
    expect(Buffer.from(writer.finish()).toString("hex")).toBe(vector);
  });

  it("8. a native histogram of remote write 1.0", () => {
    const writer = new RemoteWrite1Writer();
    writer.histogram(seriesOf(0, { __name__: "h" }, { type: "histogram" }), t, observed);
    const [decoded] = decodeWriteRequest("1", compressSync(Buffer.from(writer.finish()))).series;
    expect(decoded?.histograms[0]).toMatchObject({
      kind: "integer",
      count: 14,
      sum: 18.4,
      schema: 0,
      zeroThreshold: 2 ** -128,
      zeroCount: 0,
      // Gaps of one and two buckets are filled with zeros: the vector's third equal form.
      positiveSpans: [{ offset: -2, length: 8 }],
      positiveDeltas: [3, 2, -5, 0, 1, -1, 3, -1],
      timestampMs: t,
    });
  });

  it("9. a native histogram of remote write 2.0 with start timestamp and metadata", () => {
    const writer = new RemoteWrite2Writer();
    const gaps = { ...observed.positive, indexes: Int32Array.of(-2, -1, 10, 20, 21) };
    const wide = { ...observed, positive: gaps };
    writer.histogram(seriesOf(0, { __name__: "h" }, { type: "histogram" }), t, wide, t - 60_000);
    const spans = "5a04080310025a04081410015a0408121002";
    expect(Buffer.from(writer.finish()).toString("hex")).toBe(
      `220022085f5f6e616d655f5f2201682a480a0201021a3e080e19666666666666324029000000000000f0373000${spans}620506040704017880d095ffbc318801a0fb91ffbc312a020803`,
    );
  });
});

interface Written {
  readonly kind: "float" | "stale";
  readonly series: number;
  readonly value: number;
  readonly ms: number;
  readonly startMs: number;
}

const written = record({
  kind: constantFrom("float" as const, "float" as const, "stale" as const),
  series: integer({ min: 0, max: 4 }),
  value: oneof(double({ noNaN: true }), constantFrom(0, -0, 1, 2 ** 53)),
  ms: integer({ min: 0, max: 1e12 }),
  startMs: constantFrom(0, t),
});

const observation = oneof(
  integer({ min: -1_000, max: 1_000_000 }).map((value) => value / 1_000),
  constantFrom(0, 1e-30, 1e300, -5e-5),
);

describe.each(["1", "2"] as const)("remote write %s", (protocol) => {
  it("says what was written, in an independent decoder's words", () => {
    const series = [0, 1, 2, 3, 4].map((id) =>
      seriesOf(
        id,
        { __name__: `m${id}`, testid: "é😀", Zone: "x".repeat(id * 100 + 1) },
        {
          type: id % 2 === 0 ? "counter" : "gauge",
          help: `help ${id}`,
          unit: id === 0 ? "bytes" : "",
        },
      ),
    );
    assert(
      property(array(written, { minLength: 1 }), (points) => {
        const [batch] = encode(protocol, (encoder) => {
          for (const { kind, series: id, value, ms, startMs } of points) {
            if (kind === "stale") encoder.stale(series[id]!, t + ms);
            else encoder.float(series[id]!, t + ms, value, startMs);
          }
        });
        expect(batch).toMatchObject({
          protocol,
          samples: points.length,
          histograms: 0,
          minTimestampMs: Math.min(...points.map(({ ms }) => t + ms)),
          maxTimestampMs: Math.max(...points.map(({ ms }) => t + ms)),
        });
        const decoded = decodeWriteRequest(protocol, batch!.body);
        expect(decoded.series.map(({ labels }) => labels)).toEqual(
          points.map((point) => series[point.series]!.labels),
        );
        expect(decoded.series.flatMap(({ samples }) => samples).map(toComparable)).toEqual(
          points.map((point) => expectedSample(point, protocol)),
        );
        const types = decoded.series.map(({ metadata }) => metadata?.type);
        if (protocol === "2") {
          expect(types).toEqual(
            points.map((point) => (point.series % 2 === 0 ? "COUNTER" : "GAUGE")),
          );
          expect(decoded.symbols[0]).toBe("");
          expect(new Set(decoded.symbols).size).toBe(decoded.symbols.length);
        } else {
          const families = new Set(points.map((point) => `m${point.series}`));
          expect(new Set(decoded.metadata.map(({ name }) => name))).toEqual(families);
        }
      }),
    );
  });

  it("says which buckets a histogram has, in an independent decoder's words", () => {
    const series = seriesOf(0, { __name__: "h" }, { type: "histogram" });
    assert(
      property(array(observation), (values) => {
        const histogram = new ExponentialHistogram();
        for (const value of values) histogram.observe(value);
        const [batch] = encode(protocol, (encoder) => encoder.histogram(series, t, histogram, 0));
        expect(batch).toMatchObject({ samples: 0, histograms: 1 });
        const decoded = decodeWriteRequest(protocol, batch!.body).series[0]!.histograms[0]!;
        const { count, sum, schema, zeroCount, positive, negative } = histogram;
        expect(decoded).toMatchObject({
          kind: "integer",
          count,
          schema,
          zeroCount,
          timestampMs: t,
        });
        expect(decoded.sum).toBe(sum + 0);
        expect(toBuckets(decoded.positiveSpans, decoded.positiveDeltas)).toEqual(entries(positive));
        expect(toBuckets(decoded.negativeSpans, decoded.negativeDeltas)).toEqual(entries(negative));
      }),
    );
  });

  it("ends a native histogram with a histogram, and a classic one's series with a float", () => {
    const [batch] = encode(protocol, (encoder) => {
      encoder.stale(seriesOf(0, { __name__: "h" }, { type: "histogram" }), t);
      encoder.stale(seriesOf(1, { __name__: "h_count" }, { name: "h", type: "histogram" }), t);
    });
    expect(batch).toMatchObject({ samples: 1, histograms: 1 });
    const [native, classic] = decodeWriteRequest(protocol, batch!.body).series;
    expect(native).toMatchObject({ samples: [], histograms: [{ isStale: true, count: 0 }] });
    expect(classic).toMatchObject({ samples: [{ isStale: true }], histograms: [] });
  });

  it("cuts requests at 2 000 points and at 1 MiB, and loses none", () => {
    const many = encode(protocol, (encoder) => {
      for (let id = 0; id < 4_500; id++)
        encoder.float(seriesOf(id, { __name__: `m${id}` }), t, 1, 0);
    });
    expect(many.map(({ samples }) => samples)).toEqual([2_000, 2_000, 500]);
    const large = encode(protocol, (encoder) => {
      for (let id = 0; id < 1_500; id++) {
        const labels = { __name__: `m${id}`, a: `${id}`.padEnd(2_000, "x") };
        encoder.float(seriesOf(id, labels, { name: "m" }), t, 1, 0);
      }
    });
    expect(large.length).toBeGreaterThan(1);
    expect(large.reduce((sum, { samples }) => sum + samples, 0)).toBe(1_500);
    for (const { body } of large) {
      expect((uncompressSync(body) as Buffer).length).toBeLessThan((1 << 20) + 4_096);
    }
  });

  it("keeps the requests of several encoders apart that are made at the same time", () => {
    const metrics = ["a", "b", "c"];
    const names: string[][] = metrics.map(() => []);
    const encoders = metrics.map(
      (_, at) =>
        new BatchEncoder(protocol, ({ body }) => {
          const { series } = decodeWriteRequest(protocol, body);
          names[at]?.push(...series.map(({ labels }) => labels[0]?.value ?? ""));
        }),
    );
    for (let request = 0; request < 3; request++) {
      for (let id = 0; id < 20; id++) {
        for (const [at, encoder] of encoders.entries()) {
          encoder.float(seriesOf(id, { __name__: `${metrics[at]}${id}` }), t + request, 1, 0);
        }
      }
      for (const encoder of encoders) encoder.flush();
    }
    const written = (metric: string): string[] =>
      Array.from({ length: 60 }, (_, at) => `${metric}${at % 20}`);
    expect(names).toEqual(metrics.map(written));
  });

  it("makes a request that stands alone, also when series come again", () => {
    const series = seriesOf(0, { __name__: "m", job: "a" });
    const batches = encode(protocol, (encoder) => {
      for (let second = 0; second < 3; second++) {
        encoder.float(series, t + second * 1_000, second + 1, 0);
        encoder.intervalEnd();
      }
    });
    const decoded = batches.map(({ body }) => decodeWriteRequest(protocol, body).series);
    expect(decoded.map(([first]) => first?.labels)).toEqual([
      series.labels,
      series.labels,
      series.labels,
    ]);
    expect(decoded.map(([first]) => first?.samples[0]?.value)).toEqual([1, 2, 3]);
  });
});

it("repeats the metadata of remote write 1.0 once a minute", () => {
  const series = seriesOf(0, { __name__: "m" });
  const batches = encode("1", (encoder) => {
    for (const second of [0, 1, 59, 60, 61]) {
      encoder.float(series, t + second * 1_000, 1, 0);
      encoder.flush();
    }
  });
  const counts = batches.map(({ body }) => decodeWriteRequest("1", body).metadata.length);
  expect(counts).toEqual([1, 0, 0, 1, 0]);
});

it("turns a 2.0 request into the 1.0 request with the same points, to the last bit", () => {
  const histogram = new ExponentialHistogram();
  for (const value of [0.1, 0.2, 3, 0]) histogram.observe(value);
  const write = (encoder: BatchEncoder): void => {
    encoder.float(seriesOf(0, { __name__: "m", job: "a" }), t, 1.5, t - 1_000);
    encoder.stale(seriesOf(1, { __name__: "n" }), t);
    encoder.histogram(
      seriesOf(2, { __name__: "h" }, { type: "histogram" }),
      t,
      histogram,
      t - 1_000,
    );
    encoder.stale(seriesOf(3, { __name__: "g" }, { type: "histogram" }), t);
  };
  const [modern] = encode("2", write);
  const [old] = encode("1", write);
  const transcoded = toRemoteWrite1(modern!);
  expect(transcoded).toMatchObject({ protocol: "1", samples: 2, histograms: 2 });
  const withoutStarts = (batch: EncodedBatch): unknown =>
    JSON.parse(
      JSON.stringify(decodeWriteRequest("1", batch.body).series, (key, value: unknown) =>
        key === "startTimestampMs" ? 0 : value,
      ),
    );
  expect(withoutStarts(transcoded)).toEqual(withoutStarts(old!));
  expect(toRemoteWrite1(transcoded)).toBe(transcoded);
});

function toComparable(sample: {
  readonly value: number;
  readonly isStale: boolean;
  readonly timestampMs: number;
  readonly startTimestampMs: number;
}): unknown {
  const { value, isStale, timestampMs, startTimestampMs } = sample;
  return { value: isStale ? "stale" : value + 0, timestampMs, startTimestampMs };
}

function expectedSample({ kind, value, ms, startMs }: Written, protocol: string): unknown {
  return {
    // Adding 0 makes one zero of both.
    value: kind === "stale" ? "stale" : value + 0,
    timestampMs: t + ms,
    startTimestampMs: kind === "stale" || protocol === "1" ? 0 : startMs,
  };
}

function toBuckets(
  spans: readonly { readonly offset: number; readonly length: number }[],
  deltas: readonly number[],
): (readonly [number, number])[] {
  const buckets: (readonly [number, number])[] = [];
  let index = 0;
  let count = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++) {
      count += deltas[at++] ?? NaN;
      if (count !== 0) buckets.push([index, count]);
    }
  }
  expect(at).toBe(deltas.length);
  return buckets;
}

function entries({ size, indexes, counts }: ExponentialHistogram["positive"]): unknown {
  return Array.from({ length: size }, (_, i) => [indexes[i], counts[i]]);
}
