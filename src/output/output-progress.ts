/**
 * What an output says of itself at any moment: the accounts of a run's samples and points, delivery, the generator.
 */
import type { SampleCounts } from "../aggregate/aggregator.ts";
import type { MapperCounts } from "../encode/prometheus-mapper.ts";
import type { GeneratorHealth } from "../runs/generator-health.ts";
import type { PointCounts } from "../send/account.ts";
import type { SenderState, SenderTotals } from "../send/sender.ts";
import type { RequestDurations } from "./request-durations.ts";

/** Where the points are: `recovered` + `encoded` = `delivered` + `pending` + the sum of `rejected`. */
export interface PointCountsByFate<Count = number> {
  /** Of an earlier process of the same run, found in the spool. */
  readonly recovered: Count;
  readonly encoded: Count;
  readonly delivered: Count;
  readonly pending: Count;
  /** By reason: an answer (`http_400`), or `spool_full`. */
  readonly rejected: ReadonlyMap<string, Count>;
}

/** Of what was encoded, and of what an earlier process left in the spool. */
export interface DeliveryProgress {
  readonly points: PointCountsByFate;
  /** The same points, floats and native histograms apart. */
  readonly pointsByType: PointCountsByFate<PointCounts>;
  readonly sender: SenderTotals;
  readonly state: SenderState;
  /** Bytes in the spool. */
  readonly spoolBytes: number;
  /** Damaged in the spool when it was opened. */
  readonly corruptRecords: number;
  /** Bodies encoded, compressed. */
  readonly encodedBytes: number;
  /** Newest timestamp of all points, Unix milliseconds; 0 before the first. */
  readonly newestEncodedMs: number;
  readonly requestDurations: Pick<RequestDurations, "all">;
}

export interface OutputProgress extends DeliveryProgress {
  readonly samples: SampleCounts;
  readonly mapper: MapperCounts;
  readonly health: GeneratorHealth | undefined;
  /** When all this was so, Unix milliseconds. */
  readonly atMs: number;
}
