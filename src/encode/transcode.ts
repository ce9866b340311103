/**
 * Turns a remote-write 2.0 request into the 1.0 request with the same points, for a receiver that turns out not
 * to speak 2.0. A cold path: it reads the message with protobufjs' schema-driven decoder.
 *
 * Samples and histograms are copied as bytes: 1.0 ignores the one field that only 2.0 has (start timestamps),
 * and the bits of stale markers survive.
 * Source: Prometheus `prompb/types.proto`, `prompb/io/prometheus/write/v2/types.proto`.
 */
import type { EncodedBatch } from "./encoded-batch.ts";
import { messageTypes } from "./message-types.ts";
import { compressBlock, uncompressBlock } from "./snappy-block.ts";

const schema = `
syntax = "proto3";
message Label { string name = 1; string value = 2; }
message Series1 { repeated Label labels = 1; repeated bytes samples = 2; repeated bytes histograms = 4; }
message Request1 { repeated Series1 timeseries = 1; }
message Series2 { repeated uint32 labels_refs = 1; repeated bytes samples = 2; repeated bytes histograms = 3; }
message Request2 { repeated string symbols = 4; repeated Series2 timeseries = 5; }
`;
const typeOf = messageTypes(schema);

interface Request2 {
  readonly symbols: readonly string[];
  readonly timeseries: readonly {
    readonly labels_refs: readonly number[];
    readonly samples: readonly Uint8Array[];
    readonly histograms: readonly Uint8Array[];
  }[];
}

/** The same points for remote write 1.0. A batch of 1.0 is returned as it is. */
export function toRemoteWrite1(batch: EncodedBatch): EncodedBatch {
  if (batch.protocol === "1") return batch;
  const body = uncompressBlock(batch.body);
  // The bytes are our own encoder's, and the schema above gives them this shape.
  const { symbols, timeseries } = typeOf("Request2").decode(body) as unknown as Request2;
  const message = {
    timeseries: timeseries.map(({ labels_refs: refs, samples, histograms }) => ({
      labels: Array.from({ length: refs.length / 2 }, (_, pair) => ({
        name: symbols[refs[pair * 2] ?? 0],
        value: symbols[refs[pair * 2 + 1] ?? 0],
      })),
      samples,
      histograms,
    })),
  };
  const encoded = typeOf("Request1").encode(message).finish();
  return { ...batch, protocol: "1", body: compressBlock(Buffer.from(encoded)) };
}
