/**
 * What becomes of a run's samples, as a function of its journal: the same records in the same order make the same points.
 *
 *     push ─► MetricSetReader, one per instance ─► BucketWindow ─┬─► PrometheusOutput …
 *     close, end ─────────────────────────────────────┘          └─► ThresholdWatch
 */
import type { Clock } from "../../clock.ts";
import type { MetricSet } from "../../cloud/metric-set.ts";
import { MetricSetReader, type SeriesBuckets } from "../../cloud/metric-set-reader.ts";
import type { PrometheusOutput } from "../../output/prometheus-output.ts";
import type { ThresholdResult } from "../../output/run-series.ts";
import type { Threshold } from "../../runs/run-record.ts";
import type { RunState } from "../../runs/run-state.ts";
import { BucketWindow } from "./bucket-window.ts";
import { ThresholdWatch } from "./threshold-watch.ts";

export interface PipelineOptions {
  readonly outputs: readonly PrometheusOutput[];
  /** Of the shortest interval of an output. */
  readonly intervalMs: number;
  readonly thresholds: readonly Threshold[];
  /** Unix milliseconds of the run's creation. */
  readonly createdMs: number;
  /** No sample is taken to be older. */
  readonly earliestMs: number;
  /** Says when what is handed over was written down. */
  readonly clock: Clock;
  /** Something that the user should know; called once per matter. */
  readonly onNotice: (text: string) => void;
}

export class Pipeline {
  readonly watch: ThresholdWatch;
  readonly window: BucketWindow;
  readonly #options: PipelineOptions;
  readonly #readers = new Map<string, MetricSetReader>();

  constructor(options: PipelineOptions) {
    const { outputs, intervalMs, thresholds, earliestMs, clock } = options;
    this.#options = options;
    this.watch = new ThresholdWatch(thresholds);
    this.window = new BucketWindow([...outputs.map(({ sink }) => sink), this.watch], {
      intervalMs,
      earliestMs,
      nowMs: () => clock.nowMs(),
    });
  }

  /** Not to be called again before it has resolved. */
  async push(instance: string, set: MetricSet): Promise<void> {
    let reader = this.#readers.get(instance);
    if (reader === undefined) {
      const { createdMs, clock, onNotice } = this.#options;
      reader = new MetricSetReader(ofInstance(this.window, instance), {
        clock,
        startMs: createdMs,
        // Nothing that k6 sends says it, and a wrong guess is off by a factor of 1 000.
        contentOf: async () => "default",
        onNotice,
      });
      this.#readers.set(instance, reader);
    }
    await reader.take(set);
  }

  close(untilMs: number): void {
    this.window.closeUntil(untilMs);
  }

  end(state: RunState, thresholds: readonly ThresholdResult[]): void {
    this.window.flush();
    for (const output of this.#options.outputs) output.writeEnd({ state, thresholds });
  }
}

/** The label by which the generators of a run are told apart. */
function ofInstance(sink: SeriesBuckets, instance: string): SeriesBuckets {
  if (instance === "") return sink;
  return {
    series: (metric, tags) => sink.series(metric, new Map([...tags, ["instance_id", instance]])),
    bucket: (...bucket) => sink.bucket(...bucket),
    dropped: (reason, samples) => sink.dropped(reason, samples),
    advanceTo: (timestampMs) => sink.advanceTo(timestampMs),
  };
}
