/**
 * What encoding hands to the spool: the exact bytes of one remote-write request, and what is in them.
 */

/** `1`: `prometheus.WriteRequest`; `2`: `io.prometheus.write.v2.Request`. */
export type RemoteWriteProtocol = "1" | "2";

export interface EncodedBatch {
  readonly protocol: RemoteWriteProtocol;
  /** The request's body: protobuf in a snappy block. Owned by the receiver of the batch. */
  readonly body: Uint8Array;
  /** Float points in the body, stale markers included. */
  readonly samples: number;
  /** Native-histogram points in the body. */
  readonly histograms: number;
  /** The oldest and the newest timestamp in the body, Unix milliseconds. */
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
}
