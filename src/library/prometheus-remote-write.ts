/**
 * The library: a program of any kind records counters, gauges, rates and trends, and they go the way of `plimsoll
 * run`: aggregated, spooled, delivered, accounted for.
 *
 * It writes nothing to standard output or error, installs no signal handler and changes nothing of the process.
 * docs/library.md is its manual.
 */
import { randomBytes } from "node:crypto";
import { identify } from "../output/identify.ts";
import { PrometheusOutput } from "../output/prometheus-output.ts";
import {
  type Account,
  isDelivered,
  type RunAccount,
  toAccount,
  toRunAccount,
} from "../output/run-account.ts";
import type { ThresholdResult } from "../output/run-series.ts";
import type { RunState } from "../runs/run-state.ts";
import type { ValueKind } from "../sample/metric.ts";
import type { SenderState } from "../send/sender.ts";
import { userAgent } from "../version.ts";
import { Counter, Gauge, Rate, Trend } from "./metrics.ts";
import { type PrometheusRemoteWriteOptions, resolveLibraryOptions } from "./options.ts";
import { Recorder } from "./recorder.ts";
import { SteadyClock } from "./steady-clock.ts";

export interface MetricOptions {
  /**
   * What the values are: `time` is milliseconds, `data` is bytes. Default: what k6 says of a metric of that name,
   * else `default`, plain numbers.
   */
  readonly contains?: ValueKind | undefined;
}

/** How the run ended, as far as only the caller knows. */
export interface RunEnding {
  /** Default `finished`: the test ran its course, whatever it found. */
  readonly state?: RunState | undefined;
  /** What the test was held to, for `plimsoll_threshold_ok` and the dashboards. Default: nothing. */
  readonly thresholds?: readonly ThresholdResult[] | undefined;
}

/** Where everything is, in the middle of a run. */
export interface RunProgress extends Account {
  /** What sending is doing; while the receiver is away, since when and why. */
  readonly delivery: SenderState;
}

/** Where everything went. */
export interface RunReport extends RunAccount {
  /** Whether every sample is in the store: the command's exit code would be 0. */
  readonly isComplete: boolean;
  /** What `onNotice` was told, in order. */
  readonly notices: readonly string[];
}

/** Longer than any run: what counts is that there is a timer. */
const keepAliveMs = 2 ** 31 - 1;

/** One run into one store. Processes and worker threads each need one of their own: docs/library.md says how. */
export class PrometheusRemoteWrite implements AsyncDisposable {
  readonly #output: PrometheusOutput;
  readonly #recorder: Recorder;
  readonly #notices: string[];
  #finished: Promise<RunReport> | undefined;

  private constructor(output: PrometheusOutput, recorder: Recorder, notices: string[]) {
    this.#output = output;
    this.#recorder = recorder;
    this.#notices = notices;
  }

  /**
   * Asks the receiver what it takes, opens the spool, and is ready for samples. End it with `finish`.
   *
   * @throws ConfigError with every problem of the options; ReceiverError where the receiver cannot be used (not with
   * `preflight: false`); SpoolError where the spool is in use; InputError for a file that cannot be read
   */
  static async start(options: PrometheusRemoteWriteOptions = {}): Promise<PrometheusRemoteWrite> {
    const { generator = "plimsoll library", onNotice } = options;
    const remoteWrite = resolveLibraryOptions(options);
    const clock = new SteadyClock();
    const startMs = clock.nowMs();
    const suffix = randomBytes(2).toString("hex");
    const { identity, tags } = identify(remoteWrite, { source: "test", startMs, suffix });
    const notices: string[] = [];
    const output = await keepingAlive(() =>
      PrometheusOutput.open({
        remoteWrite,
        identity,
        tags,
        info: new Map([...tags, ["generator", generator]]),
        isLive: true,
        storesSelfMetrics: true,
        startMs,
        clock,
        random: Math.random,
        userAgent,
        onNotice: (text) => {
          notices.push(text);
          onNotice?.(text);
        },
      }),
    );
    const { maxSeries: maxSpellings } = remoteWrite;
    const recorder = new Recorder({ sink: output.sink, clock, maxSpellings });
    return new PrometheusRemoteWrite(output, recorder, notices);
  }

  /** The run's id, label `testid` of every series. */
  get testid(): string {
    return this.#output.identity.testid;
  }

  /** The test's name, label `test` of every series. */
  get test(): string {
    return this.#output.identity.test;
  }

  /**
   * A metric's name is k6's, or one of your own; the store's has `k6_` before it, which the dashboards look for.
   * A second call with the same name gives the same metric.
   *
   * @throws UsageError for a name that is none, and for a metric that is something else already
   */
  counter(name: string, { contains }: MetricOptions = {}): Counter {
    return new Counter(this.#recorder, this.#recorder.metric(name, "counter", contains), {});
  }

  /** As `counter`. */
  gauge(name: string, { contains }: MetricOptions = {}): Gauge {
    return new Gauge(this.#recorder, this.#recorder.metric(name, "gauge", contains), {});
  }

  /** As `counter`. */
  rate(name: string): Rate {
    return new Rate(this.#recorder, this.#recorder.metric(name, "rate", undefined), {});
  }

  /** As `counter`. */
  trend(name: string, { contains }: MetricOptions = {}): Trend {
    return new Trend(this.#recorder, this.#recorder.metric(name, "trend", contains), {});
  }

  get progress(): RunProgress {
    const { progress } = this.#output;
    return { ...toAccount(progress), delivery: progress.state };
  }

  /**
   * Closes the last interval, writes how the run ended, ends its series, and delivers what is spooled, for
   * `drainTimeout` at most. A store that is away is no error: what it lacks is `points.pending`, and stays in the
   * spool. A second call gives the first one's report.
   */
  finish(ending: RunEnding = {}): Promise<RunReport> {
    this.#finished ??= keepingAlive(() => this.#finish(ending));
    return this.#finished;
  }

  /** `finish`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }

  async #finish({ state = "finished", thresholds = [] }: RunEnding): Promise<RunReport> {
    this.#recorder.end();
    try {
      await this.#output.finish({ state, thresholds });
    } catch (error) {
      await this.#output.close();
      throw error;
    }
    const account = toRunAccount(this.#output, { state, thresholds });
    return { ...account, isComplete: isDelivered(account), notices: this.#notices };
  }
}

/** While this works the process has something to do; between, recording alone keeps none alive. */
async function keepingAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const timer = setInterval(() => undefined, keepAliveMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
