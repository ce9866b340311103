/**
 * What `plimsoll run` needs of something that makes load.
 */
import type { GeneratorVerdict } from "../generate/k6-thresholds.ts";
import type { GeneratorCount } from "../runs/generator-count.ts";
import type { RunState } from "../runs/run-state.ts";
import type { SampleSink } from "../sample/sample.ts";
import type { BucketSink } from "../sample/sample-bucket.ts";

export interface Load {
  /** Name and version, for the run's label `generator`, e.g. `k6/2.2.0`. */
  readonly generator: string;
  /** Makes load until it is over or `signal` asks for its end; hands over every sample. */
  run(context: LoadContext): Promise<LoadEnd>;
  /** Ends it at once. */
  kill(): void;
}

export interface LoadContext {
  readonly sink: SampleSink;
  /** For a generator that hands over no single samples. */
  readonly buckets: BucketSink;
  /** Whether trends are sent with fixed buckets. */
  readonly isClassic: boolean;
  readonly signal: AbortSignal;
  /** Shows a line to the user. */
  readonly log: (text: string) => void;
  /** A process of the generator's own has begun, e.g. `k6`. */
  readonly onProcess: (name: string, pid: number) => void;
  /** No sample will come any more, and the generator may write to the terminal. */
  readonly onLoadOver: () => void;
}

export interface LoadEnd {
  readonly state: RunState;
  readonly thresholds: readonly GeneratorVerdict[];
  /** The generator's own, where it is a process: 0 is success. */
  readonly exitCode: number | undefined;
  /** What the generator counted itself, where it did. */
  readonly counts: readonly GeneratorCount[] | undefined;
}
