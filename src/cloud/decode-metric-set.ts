/**
 * Reads the bytes of a push: a snappy block around one protobuf `MetricSet`.
 *
 * The seconds of a `Timestamp` are an int64 there; a uint32 has the same bytes until 2106, and is a number.
 *
 * Source: k6 `internal/output/cloud/expv2/pbcloud/metric.proto`, `output/cloud/expv2/metrics_client.go` (v2.2.0).
 */
import protobuf from "protobufjs";
import snappy from "snappy";
import { InputError, messageOf } from "../errors.ts";
import { checkMetricSet } from "./check-metric-set.ts";
import type { MetricSet } from "./metric-set.ts";
import { checkDecodedSize, inflatedLength, maxInflatedBytes } from "./metric-set-limits.ts";

const schema = `
syntax = "proto3";
message MetricSet { string test_run_id = 1; uint32 aggregation_period = 2; repeated Metric metrics = 3; }
message Metric { string name = 1; uint32 type = 2; repeated TimeSeries time_series = 3; }
message Label { string name = 1; string value = 2; }
message TimeSeries {
  repeated Label labels = 1;
  oneof samples {
    CounterSamples counter_samples = 2;
    GaugeSamples gauge_samples = 3;
    RateSamples rate_samples = 4;
    TrendHdrSamples trend_hdr_samples = 5;
  }
}
message Timestamp { uint32 seconds = 1; }
message CounterSamples { repeated CounterValue values = 1; }
message CounterValue { Timestamp time = 1; double value = 2; }
message GaugeSamples { repeated GaugeValue values = 1; }
message GaugeValue {
  Timestamp time = 1; double last = 2; uint32 count = 3; double min = 4; double max = 5; double avg = 6;
}
message RateSamples { repeated RateValue values = 1; }
message RateValue { Timestamp time = 1; uint32 nonzero_count = 2; uint32 total_count = 3; }
message TrendHdrSamples { repeated TrendHdrValue values = 1; }
message BucketSpan { uint32 offset = 1; uint32 length = 2; }
message TrendHdrValue {
  Timestamp time = 1; repeated uint32 counters = 2; repeated BucketSpan spans = 3;
  double sum = 5; uint32 count = 6; double min_value = 7; double max_value = 8;
  uint32 extra_low_values_counter = 9; uint32 extra_high_values_counter = 10; double min_resolution = 11;
}
`;
const type = protobuf.parse(schema).root.lookupType("MetricSet");

/**
 * Decodes one push, and believes nothing of it.
 *
 * @throws InputError for bytes that are not such a message, that are too many, or that k6 cannot have sent
 */
export function decodeMetricSet(body: Buffer): MetricSet {
  if ((inflatedLength(body) ?? Infinity) > maxInflatedBytes) {
    throw new InputError(`the push is no snappy block of up to ${maxInflatedBytes} bytes`);
  }
  try {
    // With `asBuffer` it is never a string.
    const bytes = snappy.uncompressSync(body, { asBuffer: true }) as Buffer;
    checkDecodedSize(bytes);
    // The schema above gives it this shape; what is absent, such as a zero, has its default on the prototype.
    const metricSet = type.decode(bytes) as unknown as MetricSet;
    checkMetricSet(metricSet);
    return metricSet;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`the push cannot be read: ${messageOf(cause)}; nothing of it is stored`, {
      cause,
    });
  }
}
