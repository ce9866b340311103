/**
 * The messages of remote write 1.0 and 2.0, written down a second time, for an encoder and a decoder that
 * share no code with `src/encode/`.
 *
 * Source: prometheus/prometheus `prompb/remote.proto`, `prompb/types.proto` and
 * `prompb/io/prometheus/write/v2/types.proto`, field by field.
 */
import protobuf from "protobufjs";

const sharedMessages = `
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message Histogram {
    enum ResetHint { UNKNOWN = 0; YES = 1; NO = 2; GAUGE = 3; }
    oneof count { uint64 count_int = 1; double count_float = 2; }
    double sum = 3;
    sint32 schema = 4;
    double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan negative_spans = 8;
    repeated sint64 negative_deltas = 9;
    repeated double negative_counts = 10;
    repeated BucketSpan positive_spans = 11;
    repeated sint64 positive_deltas = 12;
    repeated double positive_counts = 13;
    ResetHint reset_hint = 14;
    int64 timestamp = 15;
    repeated double custom_values = 16;
    int64 start_timestamp = 17;
  }
  enum MetricType {
    UNKNOWN = 0; COUNTER = 1; GAUGE = 2; HISTOGRAM = 3;
    GAUGEHISTOGRAM = 4; SUMMARY = 5; INFO = 6; STATESET = 7;
  }
`;

const version1 = `
  syntax = "proto3";
  package prometheus;
  message WriteRequest {
    repeated TimeSeries timeseries = 1;
    reserved 2;
    repeated MetricMetadata metadata = 3;
  }
  message TimeSeries {
    repeated Label labels = 1;
    repeated Sample samples = 2;
    repeated Exemplar exemplars = 3;
    repeated Histogram histograms = 4;
  }
  message Label { string name = 1; string value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }
  message Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
  message MetricMetadata {
    MetricType type = 1;
    string metric_family_name = 2;
    string help = 4;
    string unit = 5;
  }
  ${sharedMessages}
`;

const version2 = `
  syntax = "proto3";
  package io.prometheus.write.v2;
  message Request {
    reserved 1 to 3;
    repeated string symbols = 4;
    repeated TimeSeries timeseries = 5;
  }
  message TimeSeries {
    repeated uint32 labels_refs = 1;
    repeated Sample samples = 2;
    repeated Histogram histograms = 3;
    repeated Exemplar exemplars = 4;
    Metadata metadata = 5;
    reserved 6;
  }
  message Sample { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
  message Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
  message Metadata { MetricType type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
  ${sharedMessages}
`;

const lookUp = (source: string, message: string): protobuf.Type =>
  protobuf.parse(source, { keepCase: true }).root.lookupType(message);

/**
 * The same messages with the eight bytes of each double as an unsigned integer. A stale marker is one NaN of
 * many, and a JavaScript engine may change which NaN a number is.
 */
const withBits = (source: string): string => source.replaceAll(/\bdouble\b/g, "fixed64");

/** For encoding: fields by their names in the .proto files, e.g. `Request1.fromObject({ timeseries: [] })`. */
export const WriteRequest: protobuf.Type = lookUp(version1, "prometheus.WriteRequest");
export const Request2: protobuf.Type = lookUp(version2, "io.prometheus.write.v2.Request");

/** For decoding: doubles are `Long`s that hold their bits. */
export const WriteRequestBits: protobuf.Type = lookUp(
  withBits(version1),
  "prometheus.WriteRequest",
);
export const Request2Bits: protobuf.Type = lookUp(
  withBits(version2),
  "io.prometheus.write.v2.Request",
);
