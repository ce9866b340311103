/**
 * How large a push may be, looked at before memory is given for it.
 *
 * A snappy block begins with its length when inflated, and each of its copies makes at most 64 bytes of 3. A `MetricSet`
 * of two bytes per message makes fifty times as much in objects, so these are counted before they are made.
 *
 * Source: snappy `format_description.txt`; k6 `internal/output/cloud/expv2/pbcloud/metric.proto`.
 */
import { InputError } from "../errors.ts";

/** A thousand series of k6 have well below one. */
export const maxInflatedBytes: number = 64 << 20;
/** Of what is made of a push. */
const maxDecodedBytes = 192 << 20;
/** Measured with protobufjs 8 and Node 20: 33 to 113 bytes for an empty message, 9 for an element of a packed list. */
const messageBytes = 128;
const elementBytes = 16;

const maxSnappyRatio = 64 / 3;

/** Undefined for a body that is no snappy block, or that cannot hold what it says. */
export function inflatedLength(block: Buffer): number | undefined {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length <= block.length * maxSnappyRatio ? length : undefined;
  }
  return undefined;
}

/** Of a message, by number: the fields that are messages, `leaf` for those without messages, and packed numbers. */
type Fields = ReadonlyMap<number, Fields | "leaf" | "packed">;

const value: Fields = new Map([
  [1, "leaf"],
  [2, "packed"],
  [3, "leaf"],
]);
const samples: Fields = new Map([[1, value]]);
const series: Fields = new Map<number, Fields | "leaf">([
  [1, "leaf"],
  [2, samples],
  [3, samples],
  [4, samples],
  [5, samples],
]);
const metric: Fields = new Map([[3, series]]);
const metricSet: Fields = new Map([[3, metric]]);

/**
 * @param bytes A `MetricSet`, or anything else: what is broken is for the decoder to find
 * @throws InputError if too much would be made of it
 */
export function checkDecodedSize(bytes: Buffer): void {
  let rest = maxDecodedBytes;
  let at = 0;

  const varint = (): number => {
    let result = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return result;
  };
  const walk = (end: number, fields: Fields): void => {
    while (at < end) {
      const tag = varint();
      const field = fields.get(Math.floor(tag / 8));
      switch (tag % 8) {
        case 0:
          varint();
          if (field === "packed") rest -= elementBytes;
          break;
        case 1:
          at += 8;
          break;
        case 2: {
          const length = varint();
          const inner = at + length;
          if (inner > end) throw new InputError(`the push has a field of ${length} bytes, cut off`);
          if (field === "packed") rest -= length * elementBytes;
          else if (field !== undefined) rest -= messageBytes;
          if (typeof field === "object") walk(inner, field);
          at = inner;
          break;
        }
        case 5:
          at += 4;
          break;
        default:
          throw new InputError(
            `the push has a field of wire type ${tag % 8}, which k6 does not send`,
          );
      }
      if (rest < 0) {
        throw new InputError(
          `the push has more samples than fit into ${maxDecodedBytes >> 20} MiB`,
        );
      }
    }
  };
  walk(bytes.length, metricSet);
}
