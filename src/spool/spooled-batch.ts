/**
 * What the spool hands to sending: a batch, and the number by which it is acknowledged.
 */
import type { EncodedBatch } from "../encode/encoded-batch.ts";

export interface SpooledBatch extends EncodedBatch {
  /** Increases by one with each appended batch, for ever. */
  readonly sequence: number;
}
