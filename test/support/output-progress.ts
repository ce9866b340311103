/**
 * What an output says of itself in the middle of a run, as far as a test does not say otherwise; its accounts balance.
 */
import type { OutputProgress } from "../../src/output/output-progress.ts";
import type { PointCounts } from "../../src/send/account.ts";
import type { SenderState } from "../../src/send/sender.ts";

const delivered: PointCounts = { samples: 100, histograms: 10 };
const pending: PointCounts = { samples: 20, histograms: 2 };
const recovered: PointCounts = { samples: 3, histograms: 0 };

export function progressOf({
  read = 0,
  rejected = new Map(),
  state = { kind: "idle" },
  atMs = 0,
}: {
  readonly read?: number;
  readonly rejected?: ReadonlyMap<string, PointCounts>;
  readonly state?: SenderState;
  readonly atMs?: number;
}): OutputProgress {
  const all = (kind: keyof PointCounts): number =>
    delivered[kind] +
    pending[kind] +
    [...rejected.values()].reduce((sum, one) => sum + one[kind], 0);
  const encoded = {
    samples: all("samples") - recovered.samples,
    histograms: all("histograms") - recovered.histograms,
  };
  const usage = { cpuSeconds: 1.5, residentBytes: 1e8 };
  const sum = (counts: PointCounts): number => counts.samples + counts.histograms;
  return {
    samples: { read, aggregated: read, late: 0, dropped: new Map() },
    points: {
      recovered: sum(recovered),
      encoded: sum(encoded),
      delivered: sum(delivered),
      pending: sum(pending),
      rejected: new Map([...rejected].map(([reason, counts]) => [reason, sum(counts)])),
    },
    pointsByType: { recovered, encoded, delivered, pending, rejected },
    mapper: {
      series: 25,
      overflowed: 0,
      outputCollisions: 0,
      collisions: 0,
      excess: 0,
      truncated: 0,
      replacedRunTags: 0,
    },
    sender: {
      delivered,
      rejected,
      retried: { samples: 0, histograms: 0 },
      requests: 10,
      bytesSent: 1_000,
      newestDeliveredTimestampMs: 1_000,
    },
    state,
    spoolBytes: 100,
    corruptRecords: 0,
    encodedBytes: 1_000,
    newestEncodedMs: 2_000,
    requestDurations: {
      all: [{ protocol: "2", status: "2xx", counts: [4, 3, 2, 1], sumSeconds: 0.2 }],
    },
    health: {
      cpus: 2,
      processes: new Map([
        ["plimsoll", usage],
        ["k6", usage],
      ]),
      eventLoopDelaySeconds: 0.001,
      cpuRatio: 0.5,
      maxCpuRatio: 0.6,
      saturatedMs: 0,
      isSaturated: false,
    },
    atMs,
  };
}
