import snappy from "snappy";
import { describe, expect, it } from "vitest";
import { decodeUntrusted } from "../../../src/cloud/check-metric-set.ts";
import { inflatedLength } from "../../../src/cloud/metric-set-limits.ts";
import { InputError } from "../../../src/errors.ts";
import { encodeMetricSet } from "../../support/encode-metric-set.ts";

describe("the length of a snappy block when inflated", () => {
  it.each([0, 1, 127, 128, 70_000, 1 << 20])("is read before it is: %i bytes", (length) => {
    expect(inflatedLength(snappy.compressSync(Buffer.alloc(length, "abc")))).toBe(length);
  });

  it.each([
    ["nothing", []],
    ["a length that never ends", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["a length that breaks off", [0x80]],
    ["a length that so few bytes cannot make", [0xff, 0xff, 0xff, 0x7f, 0, 0]],
  ])("is not known of %s", (_, bytes) => {
    expect(inflatedLength(Buffer.from(bytes))).toBeUndefined();
  });
});

describe("a push that is too large is refused before memory is given for it", () => {
  /** Bytes of field 3, an empty message each, and so on inwards. */
  const bombs: [string, Buffer][] = [
    ["empty metrics", Buffer.alloc(8 << 20, Buffer.from([0x1a, 0]))],
    ["empty series", inside(0x1a, Buffer.alloc(8 << 20, Buffer.from([0x1a, 0])))],
    ["labels", inside(0x1a, inside(0x1a, Buffer.alloc(8 << 20, Buffer.from([0x0a, 0]))))],
    [
      "values",
      inside(0x1a, inside(0x1a, inside(0x2a, Buffer.alloc(8 << 20, Buffer.from([0x0a, 0]))))),
    ],
    [
      "counters",
      inside(0x1a, inside(0x1a, inside(0x2a, inside(0x0a, inside(0x12, Buffer.alloc(32 << 20)))))),
    ],
    [
      "single counters",
      inside(
        0x1a,
        inside(0x1a, inside(0x2a, inside(0x0a, Buffer.alloc(60 << 20, Buffer.from([0x10, 0]))))),
      ),
    ],
    [
      "spans",
      inside(
        0x1a,
        inside(0x1a, inside(0x2a, inside(0x0a, Buffer.alloc(8 << 20, Buffer.from([0x1a, 0]))))),
      ),
    ],
  ];

  it.each(bombs)("because of %s", (_, bytes) => {
    const before = process.memoryUsage().rss;
    expect(() => decodeUntrusted(snappy.compressSync(bytes))).toThrow(InputError);
    // The inflated bytes themselves, and no objects: these would be a gigabyte.
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
  });

  it("because of its length alone", () => {
    const block = snappy.compressSync(Buffer.alloc(65 << 20));
    expect(() => decodeUntrusted(block)).toThrow(InputError);
  });

  it("because of groups, which no k6 sends", () => {
    expect(() => decodeUntrusted(snappy.compressSync(Buffer.alloc(1_000, 0x0b)))).toThrow(
      InputError,
    );
  });
});

it("is refused where a label reaches beyond its series", () => {
  // Each label says that it has two megabytes, which would be read again for each series.
  const series = inside(0x1a, Buffer.from([0x0a, 0x80, 0x80, 0x80, 0x01]));
  const many = Buffer.concat(Array.from({ length: 300_000 }, () => series));
  const metric = Buffer.concat([Buffer.from([0x0a, 0x01, 0x61, 0x10, 0x01]), many]);
  const bytes = Buffer.concat([Buffer.from([0x10, 0x01]), inside(0x1a, metric)]);
  expect(() => decodeUntrusted(snappy.compressSync(bytes))).toThrow(/cut off/);
});

it("a push of ten thousand series of ten seconds is taken", () => {
  const values = Array.from({ length: 10 }, (_, seconds) => ({
    seconds,
    values: [1, 20, 300, 4_000],
  }));
  const series = Array.from({ length: 10_000 }, (_, at) => ({
    tags: { name: `page ${at}`, method: "GET" },
    values,
  }));
  const body = encodeMetricSet([{ name: "http_req_duration", type: "trend", series }]);
  expect(decodeUntrusted(body).metrics[0]?.timeSeries).toHaveLength(2 * 10_000);
});

function inside(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}
