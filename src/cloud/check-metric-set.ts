/**
 * Decodes a push that anybody may have sent, and says what of it cannot come from k6: what passes can be read to its end,
 * and may be believed by those who read it.
 *
 * A pushed number can be any: k6 hands on what a script adds, infinities too, which are counted and dropped later.
 */
import protobuf from "protobufjs/minimal.js";
import snappy from "snappy";
import { InputError, messageOf } from "../errors.ts";
import { BucketDecoder, eachBucket } from "./bucket-decoder.ts";
import { eachSeries, type MetricSet, readLabels, readMetricSet } from "./metric-set.ts";
import { checkDecodedSize, inflatedLength, maxInflatedBytes } from "./metric-set-limits.ts";

/** In seconds. k6's own is 3; a longer one would hide a run for as long. */
const longestPeriod = 3_600;

/** Characters. Source: k6 `metrics/registry.go` (`nameRegexString`). */
const longestName = 129;

/** For all pushes: it is large, and each push is decoded in one go. */
const decoder = new BucketDecoder();

/** @throws InputError for bytes that are not such a message, that are too many, or that k6 cannot have sent */
export function decodeUntrusted(body: Buffer): MetricSet {
  if ((inflatedLength(body) ?? Infinity) > maxInflatedBytes) {
    throw new InputError(`the push is no snappy block of up to ${maxInflatedBytes} bytes`);
  }
  try {
    // With `asBuffer` it is never a string.
    const bytes = snappy.uncompressSync(body, { asBuffer: true }) as Buffer;
    checkDecodedSize(bytes);
    const set = readMetricSet(bytes);
    check(set);
    return set;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`the push cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Reads everything once, for nobody. */
function check(set: MetricSet): void {
  const { aggregationPeriod, metrics } = set;
  if (aggregationPeriod < 1 || aggregationPeriod > longestPeriod) {
    throw new Error(`buckets of ${aggregationPeriod} s, expected 1 to ${longestPeriod}`);
  }
  for (const { name, type } of metrics) {
    if (name === "") throw new Error("a metric has no name");
    if (name.length > longestName) {
      throw new Error(
        `a metric's name has ${name.length} characters, expected up to ${longestName}`,
      );
    }
    if (!(type >= 1 && type <= 4)) {
      throw new Error(`metric ${JSON.stringify(name)} is of type ${type}, expected 1 to 4`);
    }
  }
  const reader = protobuf.Reader.create(set.bytes);
  eachSeries(set, reader, ({ type }, range) => {
    reader.pos = range.labelsStart;
    readLabels(reader, range.labelsEnd);
    eachBucket(reader, range, (_seconds, start, end) => {
      reader.pos = start;
      decoder.decode(type, reader, end);
    });
  });
}

/** Where the newest bucket of a push ends, Unix milliseconds; undefined for one without samples. */
export function newestEndMs(set: MetricSet): number | undefined {
  const reader = protobuf.Reader.create(set.bytes);
  let newest = 0;
  eachSeries(set, reader, (_metric, range) => {
    eachBucket(reader, range, (seconds) => {
      newest = Math.max(newest, seconds);
    });
  });
  return newest === 0 ? undefined : (newest + set.aggregationPeriod) * 1_000;
}
