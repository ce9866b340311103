/**
 * The receiver that other tests trust: its decoder against bytes made elsewhere, its rules against requests
 * that break them.
 */
import { compressSync } from "snappy";
import { describe, expect, it } from "vitest";
import { decodeWriteRequest } from "../../support/decode-write-request.ts";
import { Request2, WriteRequest } from "../../support/remote-write-proto.ts";
import { StrictReceiver } from "../../support/strict-receiver.ts";

// Messages in hexadecimal, made with protobuf.js and cross-read; timestamps are 1700000000000.
const staleMarker1 = "0a210a0d0a085f5f6e616d655f5f12016d121009020000000000f07f1080d095ffbc31";
const counter2 =
  "220022085f5f6e616d655f5f22076d5f746f74616c2a210a02010212170900000000000008401080d095ffbc3118a0fb91ffbc312a020801";
const histogram2 =
  "220022085f5f6e616d655f5f2201682a480a0201021a3e080e19666666666666324029000000000000f03730005a04080310025a04080410015a0408021002620506040704017880d095ffbc318801a0fb91ffbc312a020803";

const decodeHex = (protocol: "1" | "2", hex: string) =>
  decodeWriteRequest(protocol, compressSync(Buffer.from(hex, "hex")));

describe("the decoder", () => {
  it("knows a stale marker by its bits", () => {
    const [series] = decodeHex("1", staleMarker1).series;
    expect(series?.labels).toEqual([{ name: "__name__", value: "m" }]);
    const point = { value: NaN, isStale: true, timestampMs: 1.7e12, startTimestampMs: 0 };
    expect(series?.samples).toEqual([point]);
  });

  it("resolves the symbols of 2.0", () => {
    const [series] = decodeHex("2", counter2).series;
    expect(series).toEqual({
      labels: [{ name: "__name__", value: "m_total" }],
      samples: [
        { value: 3, isStale: false, timestampMs: 1.7e12, startTimestampMs: 1.7e12 - 60_000 },
      ],
      histograms: [],
      metadata: { type: "COUNTER", help: "", unit: "" },
    });
  });

  it("reads native histograms", () => {
    const [series] = decodeHex("2", histogram2).series;
    expect(series?.metadata?.type).toBe("HISTOGRAM");
    expect(series?.histograms).toMatchObject([
      {
        kind: "integer",
        count: 14,
        sum: 18.4,
        schema: 0,
        zeroThreshold: 2 ** -128,
        zeroCount: 0,
        positiveSpans: [
          { offset: -2, length: 2 },
          { offset: 2, length: 1 },
          { offset: 1, length: 2 },
        ],
        positiveDeltas: [3, 2, -4, 2, -1],
        timestampMs: 1.7e12,
        startTimestampMs: 1.7e12 - 60_000,
      },
    ]);
  });

  it("sees nothing in a message of 2.0 that is read as 1.0, as old receivers do", () => {
    expect(decodeHex("1", histogram2).series).toEqual([]);
  });
});

describe("the rules", () => {
  const name = { name: "__name__", value: "m" };
  const check1 = (...timeseries: object[]) => {
    const message = WriteRequest.encode(WriteRequest.fromObject({ timeseries })).finish();
    return new StrictReceiver().check("1", decodeWriteRequest("1", compressSync(message)), true);
  };
  const at = (timestamp: number, value = 1) => ({ value, timestamp });

  it.each([
    { rule: "unsorted labels", labels: [{ name: "a", value: "1" }, name], told: "is not sorted" },
    { rule: "repeated labels", labels: [name, name], told: "is there twice" },
    { rule: "empty values", labels: [name, { name: "a", value: "" }], told: "label a is empty" },
    { rule: "missing names", labels: [{ name: "a", value: "1" }], told: "there is no __name__" },
    {
      rule: "names of other characters",
      labels: [name, { name: "a-b", value: "1" }],
      told: '"a-b" is not a valid name',
    },
  ])("find $rule", ({ labels, told }) => {
    expect(check1({ labels, samples: [at(1)] })).toEqual([expect.stringContaining(told)]);
  });

  it.each([
    { rule: "a series without points", samples: [], told: ["there is no point"] },
    { rule: "time that goes back", samples: [at(2), at(1)], told: ["timestamp 1 is before 2"] },
    { rule: "two values", samples: [at(1, 1), at(1, 2)], told: ["timestamp 1 has two values"] },
    { rule: "no fault in a repetition", samples: [at(1), at(1)], told: [] },
    { rule: "no fault in time that goes on", samples: [at(1), at(2)], told: [] },
  ])("find $rule", ({ samples, told }) => {
    expect(check1({ labels: [name], samples })).toEqual(
      told.map((text) => expect.stringContaining(text)),
    );
  });

  it("remember what was stored, and only that", () => {
    const requestAt = (timestamp: number) => {
      const timeseries = [{ labels: [name], samples: [at(timestamp)] }];
      const message = WriteRequest.encode(WriteRequest.fromObject({ timeseries })).finish();
      return decodeWriteRequest("1", compressSync(message));
    };
    const receiver = new StrictReceiver();
    expect(receiver.check("1", requestAt(5), false)).toEqual([]);
    expect(receiver.check("1", requestAt(3), true)).toEqual([]);
    expect(receiver.check("1", requestAt(2), true)).toHaveLength(1);
  });

  it("find the faults of symbols and of mixed series in 2.0", () => {
    const timeseries = [
      { labels_refs: [0, 1], samples: [at(1)], histograms: [{ timestamp: 2, schema: 0 }] },
    ];
    const request = Request2.fromObject({ symbols: ["__name__", "m", "m"], timeseries });
    const message = compressSync(Request2.encode(request).finish());
    const told = new StrictReceiver().check("2", decodeWriteRequest("2", message), true);
    expect(told).toEqual([
      "the first symbol is not the empty string",
      "a symbol is there twice",
      expect.stringContaining("there are samples and histograms"),
    ]);
  });
});
