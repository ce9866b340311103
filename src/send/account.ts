/**
 * What became of points: delivered, or lost for a reason. One for each batch while it is being delivered, and the
 * sender's own, into which a batch's goes when the batch leaves the spool: so no point is ever pending and delivered.
 */
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import type { RejectedOutcome, SentOutcome } from "./send-outcome.ts";

export interface PointCounts {
  readonly samples: number;
  readonly histograms: number;
}

export const noPoints: PointCounts = { samples: 0, histograms: 0 };

/** Points that are lost for one reason, and the first text that came with it. */
interface Loss {
  readonly text: string;
  readonly points: PointCounts;
}

export class Account {
  #delivered = noPoints;
  readonly #losses = new Map<string, Loss>();
  #newestDeliveredTimestampMs: number | undefined;

  get delivered(): PointCounts {
    return this.#delivered;
  }

  /** By reason. */
  get losses(): ReadonlyMap<string, Loss> {
    return this.#losses;
  }

  /** Of the requests that the receiver stored; `undefined` before the first one. */
  get newestDeliveredTimestampMs(): number | undefined {
    return this.#newestDeliveredTimestampMs;
  }

  /** The receiver's final answer to a request. The text is asked for with the first loss for its reason. */
  answered(
    request: EncodedBatch,
    outcome: SentOutcome | RejectedOutcome,
    text: (outcome: RejectedOutcome) => string = (rejected) => rejected.text,
  ): void {
    const written = { samples: outcome.samplesWritten, histograms: outcome.histogramsWritten };
    this.#delivered = add(this.#delivered, written);
    const lost = subtract(request, written);
    if (outcome.kind === "rejected") {
      this.lose(outcome.reason, () => text(outcome), lost);
      return;
    }
    this.#stored(request.maxTimestampMs);
    if (!isNone(lost)) {
      this.lose("not_written", () => "the receiver stored fewer points than were sent", lost);
    }
  }

  lose(reason: string, text: () => string, points: PointCounts): void {
    const before = this.#losses.get(reason);
    this.#losses.set(reason, {
      text: before?.text ?? text(),
      points: add(before?.points ?? noPoints, points),
    });
  }

  /** Adds all of another account. */
  merge(other: Account): void {
    this.#delivered = add(this.#delivered, other.delivered);
    for (const [reason, { text, points }] of other.losses) this.lose(reason, () => text, points);
    if (other.newestDeliveredTimestampMs !== undefined) {
      this.#stored(other.newestDeliveredTimestampMs);
    }
  }

  #stored(timestampMs: number): void {
    this.#newestDeliveredTimestampMs = Math.max(
      this.#newestDeliveredTimestampMs ?? timestampMs,
      timestampMs,
    );
  }
}

export function add(a: PointCounts, b: PointCounts): PointCounts {
  return { samples: a.samples + b.samples, histograms: a.histograms + b.histograms };
}

export function subtract(a: PointCounts, b: PointCounts): PointCounts {
  return { samples: a.samples - b.samples, histograms: a.histograms - b.histograms };
}

export function isNone({ samples, histograms }: PointCounts): boolean {
  return samples === 0 && histograms === 0;
}
