import { array, assert, constantFrom, double, integer, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { ExponentialHistogram } from "../../../src/aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../../../src/aggregate/series-point.ts";
import { BatchEncoder } from "../../../src/encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../../../src/encode/encoded-batch.ts";
import { byName } from "../../../src/encode/labels.ts";
import { describeSeries, splitBatch } from "../../../src/encode/split-batch.ts";
import { decodeWriteRequest, type DecodedSeries } from "../../support/decode-write-request.ts";

const t = 1_700_000_000_000;

/** Some share help and unit, some have none; the labels are of several lengths and scripts. */
const series: readonly OutputSeries[] = [0, 1, 2, 3, 4, 5].map((id) => {
  const isNative = id === 5;
  const name = isNative ? "m5_seconds" : `m${id}`;
  const labels = { __name__: name, testid: "é😀", Zone: "x".repeat(id * 40 + 1) };
  return {
    id,
    labels: Object.entries(labels)
      .map(([label, value]) => ({ name: label, value }))
      .sort(byName),
    family: {
      name,
      type: isNative ? "histogram" : id % 2 === 0 ? "counter" : "gauge",
      help: id < 3 ? "shared help" : "",
      unit: id % 3 === 0 ? "bytes" : "",
    },
    isNative,
  };
});

interface Point {
  readonly kind: "value" | "stale";
  readonly series: number;
  readonly value: number;
  readonly ms: number;
  readonly startMs: number;
}

const point = record({
  kind: constantFrom("value" as const, "value" as const, "stale" as const),
  series: integer({ min: 0, max: series.length - 1 }),
  value: oneof(double({ noNaN: true, noDefaultInfinity: true }), constantFrom(0, -0, 2 ** 53)),
  ms: integer({ min: 0, max: 1e12 }),
  startMs: constantFrom(0, t),
});

function encode(protocol: RemoteWriteProtocol, points: readonly Point[]): EncodedBatch {
  const batches: EncodedBatch[] = [];
  const encoder = new BatchEncoder(protocol, (batch) => batches.push(batch));
  for (const { kind, series: id, value, ms, startMs } of points) {
    const one = series[id]!;
    if (kind === "stale") encoder.stale(one, t + ms);
    else if (one.isNative) {
      const observed = new ExponentialHistogram();
      observed.observe(value);
      encoder.histogram(one, t + ms, observed, startMs);
    } else encoder.float(one, t + ms, value, startMs);
  }
  encoder.flush();
  expect(batches).toHaveLength(1);
  return batches[0]!;
}

/** Halves again and again, until nothing can be halved. */
function splitAll(batch: EncodedBatch): EncodedBatch[] {
  const halves = splitBatch(batch);
  return halves ? halves.flatMap(splitAll) : [batch];
}

const decode = ({ protocol, body }: EncodedBatch) => decodeWriteRequest(protocol, body);

const timestampsOf = (decoded: readonly DecodedSeries[]) =>
  decoded.flatMap(({ samples, histograms }) =>
    [...samples, ...histograms].map(({ timestampMs }) => timestampMs),
  );

const sum = (batches: readonly EncodedBatch[], kind: "samples" | "histograms") =>
  batches.reduce((total, batch) => total + batch[kind], 0);

describe.each(["1", "2"] as const)("remote write %s", (protocol) => {
  it("keeps every point, its bits and the order, however often a request is halved", () => {
    assert(
      property(array(point, { minLength: 1, maxLength: 40 }), (points) => {
        const batch = encode(protocol, points);
        const whole = decode(batch);
        const parts = splitAll(batch);
        expect(parts).toHaveLength(points.length);
        const decoded = parts.map(decode);
        expect(decoded.flatMap((part) => part.series)).toEqual(whole.series);
        expect(decoded.flatMap(({ metadata }) => metadata)).toEqual(whole.metadata);
        expect(sum(parts, "samples")).toBe(batch.samples);
        expect(sum(parts, "histograms")).toBe(batch.histograms);
      }),
    );
  });

  it("says of each half what is in it", () => {
    assert(
      property(array(point, { minLength: 2, maxLength: 40 }), (points) => {
        const halves = splitBatch(encode(protocol, points)) ?? [];
        expect(halves).toHaveLength(2);
        const [first, second] = halves.map((half) => decode(half).series.length);
        expect([first! - second!, first! + second!]).toEqual([points.length % 2, points.length]);
        for (const half of halves) {
          const decoded = decode(half).series;
          const timestamps = timestampsOf(decoded);
          expect(half).toMatchObject({
            protocol,
            samples: decoded.flatMap(({ samples }) => samples).length,
            histograms: decoded.flatMap(({ histograms }) => histograms).length,
            minTimestampMs: Math.min(...timestamps),
            maxTimestampMs: Math.max(...timestamps),
          });
        }
      }),
    );
  });

  it("keeps what else the batch says of itself", () => {
    const points = [0, 1].map((id): Point => ({ ...plain, series: id }));
    const [first, second] = splitBatch({ ...encode(protocol, points), sequence: 7 })!;
    expect([first.sequence, second.sequence]).toEqual([7, 7]);
  });

  it("names a series as PromQL writes it", () => {
    const batch = encode(protocol, [{ ...plain, series: 1 }]);
    expect(describeSeries(batch)).toBe(`m1{Zone="${"x".repeat(41)}", testid="é😀"}`);
  });
});

it("gives each half of a 2.0 request the symbols that it uses, and no other", () => {
  const points = series.map(({ id }): Point => ({ ...plain, series: id }));
  for (const half of splitAll(encode("2", points))) {
    const { symbols, series: decoded } = decode(half);
    const used = decoded.flatMap(({ labels, metadata }) => [
      ...labels.flatMap(({ name, value }) => [name, value]),
      metadata?.help ?? "",
      metadata?.unit ?? "",
    ]);
    expect(symbols[0]).toBe("");
    expect([...symbols].sort()).toEqual([...new Set(["", ...used])].sort());
  }
});

const plain: Point = { kind: "value", series: 0, value: 1, ms: 0, startMs: 0 };
