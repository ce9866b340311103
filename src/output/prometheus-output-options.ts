/**
 * What `PrometheusOutput` is opened with.
 */
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import type { GeneratorHealth } from "../runs/generator-health.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import type { Tags } from "../sample/sample.ts";
import type { JournaledSamples } from "./journaled-samples.ts";

export interface PrometheusOutputOptions {
  readonly remoteWrite: RemoteWriteOptions;
  readonly identity: RunIdentity;
  /** Labels of `plimsoll_run_info`. */
  readonly info: Tags;
  /** Labels of every series that has none of that name. */
  readonly tags: Tags;
  /** Whether samples come as they are made, so that silence means that time goes on. */
  readonly isLive: boolean;
  /** Then the caller says how time goes on, by `advanceTo`, and no store is asked anything. */
  readonly journaled?: JournaledSamples;
  /**
   * Whether Plimsoll's own metrics are points of the run as well. Not of samples that may be read again: the same
   * samples make the same requests.
   */
  readonly storesSelfMetrics: boolean;
  /** How the generator is, where that is known. */
  readonly health?: (() => GeneratorHealth) | undefined;
  /** Unix milliseconds, not after the first sample: when the receiver is asked what it takes. */
  readonly startMs: number;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Name and version, e.g. `plimsoll/1.2.3`. */
  readonly userAgent: string;
  /** Something that the user did not ask for and should know; called once per matter. */
  readonly onNotice: (text: string) => void;
}
