/**
 * `--out prometheus-rw`: the five stages, wired.
 *
 *     sink ─► Aggregator ─► RunSeries ─► BatchEncoder ─► Spool ─► Sender ─► the receiver
 *
 * Everything up to the spool happens in the turn in which a sample is handed over; sending goes on beside it, so
 * a slow receiver holds up nothing but its own spool. Each point is accounted for from reading to its end.
 */
import { join } from "node:path";
import { Aggregator, type MetricTotals, type SampleCounts } from "../aggregate/aggregator.ts";
import type { PointSink } from "../aggregate/series-point.ts";
import { parseTrendStat } from "../aggregate/trend-stat.ts";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import {
  type MapperCounts,
  PrometheusMapper,
  type TrendForm,
} from "../encode/prometheus-mapper.ts";
import { parseRelabelConfigs } from "../encode/parse-relabel-configs.ts";
import { relabel } from "../encode/relabel.ts";
import { toRemoteWrite1 } from "../encode/transcode.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import type { SampleSink, Tags } from "../sample/sample.ts";
import { Sender, type SenderState, type SenderTotals } from "../send/sender.ts";
import { Spool } from "../spool/spool.ts";
import { negotiate } from "./negotiate.ts";
import type { Output } from "./output.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { type RunEnd, RunSeries } from "./run-series.ts";

/**
 * With no newer sample for this long beyond the allowed lateness, time is taken to have gone on without one:
 * k6 writes its lines every 200 ms.
 */
const idleGraceMs = 300;
const idleCheckMs = 50;
/** With a long push interval nobody waits for its end. */
const longestWaitMs = 2_000;

export interface PrometheusOutputOptions {
  readonly remoteWrite: RemoteWriteOptions;
  readonly identity: RunIdentity;
  /** Labels of `plimsoll_run_info`. */
  readonly info: Tags;
  /** Labels of every series that has none of that name. */
  readonly tags: Tags;
  /** Whether samples come as they are made, so that silence means that time goes on. */
  readonly isLive: boolean;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Name and version, e.g. `plimsoll/1.2.3`. */
  readonly userAgent: string;
  /** Something that the user did not ask for and should know; called once per matter. */
  readonly onNotice: (text: string) => void;
}

/** Where the points are: `recovered` + `encoded` = `delivered` + `pending` + the sum of `rejected`. */
export interface PointCountsByFate {
  /** Of an earlier process of the same run, found in the spool. */
  readonly recovered: number;
  readonly encoded: number;
  readonly delivered: number;
  readonly pending: number;
  /** By reason: an answer (`http_400`), or `spool_full`. */
  readonly rejected: ReadonlyMap<string, number>;
}

export interface OutputProgress {
  readonly samples: SampleCounts;
  readonly points: PointCountsByFate;
  readonly mapper: MapperCounts;
  readonly sender: SenderTotals;
  readonly state: SenderState;
  /** Bytes in the spool. */
  readonly spoolBytes: number;
  /** Bodies encoded, compressed. */
  readonly encodedBytes: number;
}

export class PrometheusOutput implements Output {
  readonly name = "prometheus-rw";
  /** Where it sends to: no credentials, no query string. */
  readonly displayUrl: string;
  readonly protocol: EncodedBatch["protocol"];
  readonly trendForm: TrendForm;
  readonly spoolDirectory: string;
  readonly #options: PrometheusOutputOptions;
  readonly #receiver: Receiver;
  readonly #spool: Spool;
  readonly #sender: Sender;
  readonly #mapper: PrometheusMapper;
  readonly #aggregator: Aggregator;
  readonly #runSeries: RunSeries;
  readonly #refused = new Map<string, number>();
  readonly #idleTimer: NodeJS.Timeout | undefined;
  readonly #recovered: number;
  #isFinished = false;
  #encoded = 0;
  #encodedBytes = 0;
  #closed: Promise<void> | undefined;
  /** When the newest sample came, and which it was. */
  #arrivedMs = 0;
  #newestMs = 0;

  /**
   * Asks the receiver what it takes, opens the spool, and is ready for samples.
   *
   * @throws ReceiverError, SpoolError, InputError (a file that an option names), ConfigError (relabel rules)
   */
  static async open(options: PrometheusOutputOptions): Promise<PrometheusOutput> {
    const { remoteWrite, identity, clock, random } = options;
    const { source, rules } = remoteWrite.writeRelabelConfigs;
    const relabelRules = parseRelabelConfigs(rules, source);
    const receiver = await createReceiver(remoteWrite, options);
    try {
      const agreement = await negotiate(remoteWrite, receiver, {
        clock,
        random,
        testid: identity.testid,
      });
      for (const notice of agreement.notices) options.onNotice(notice);
      const directory = join(remoteWrite.spoolDir, encodeURIComponent(identity.testid));
      const spool = await Spool.open(directory, { limitBytes: remoteWrite.spoolLimitBytes });
      if (spool.recovered.batches > 0) {
        options.onNotice(
          `the spool ${JSON.stringify(directory)} holds ${spool.recovered.batches} requests of an earlier ` +
            "process of this run; they are sent first",
        );
      }
      const mapperOptions = {
        runLabels: [
          { name: "testid", value: identity.testid },
          { name: "test", value: identity.test },
        ],
        extraTags: options.tags,
        trendForm: agreement.trendForm,
        // The configuration has refused what does not parse.
        trendStats: remoteWrite.trendStats.flatMap((stat) => parseTrendStat(stat) ?? []),
        maxSeries: remoteWrite.maxSeries,
        relabel: (labels: Parameters<typeof relabel>[0]) => relabel(labels, relabelRules),
      };
      return new PrometheusOutput(options, {
        receiver,
        spool,
        directory,
        agreement,
        mapperOptions,
      });
    } catch (error) {
      await receiver.client.close();
      throw error;
    }
  }

  private constructor(
    options: PrometheusOutputOptions,
    parts: {
      readonly receiver: Receiver;
      readonly spool: Spool;
      readonly directory: string;
      readonly agreement: {
        readonly protocol: EncodedBatch["protocol"];
        readonly trendForm: TrendForm;
      };
      readonly mapperOptions: ConstructorParameters<typeof PrometheusMapper>[0];
    },
  ) {
    const { remoteWrite, identity, info, clock } = options;
    this.#options = options;
    this.#receiver = parts.receiver;
    this.#spool = parts.spool;
    this.#recovered = parts.spool.pending.samples + parts.spool.pending.histograms;
    this.spoolDirectory = parts.directory;
    this.displayUrl = parts.receiver.client.displayUrl;
    this.protocol = parts.agreement.protocol;
    this.trendForm = parts.agreement.trendForm;
    let lastId = -1;
    const nextId = (): number => ++lastId;
    const encoder = new BatchEncoder(this.protocol, (batch) => this.#append(batch));
    this.#runSeries = new RunSeries(encoder, {
      identity,
      info,
      nextId,
      startMs: () => this.#aggregator.oldestMs,
    });
    this.#mapper = new PrometheusMapper(parts.mapperOptions, nextId);
    this.#aggregator = new Aggregator(this.#mapper, this.#runSeries satisfies PointSink, {
      pushIntervalMs: remoteWrite.pushIntervalMs,
      latenessMs: remoteWrite.latenessMs,
      staleMarkers: remoteWrite.staleMarkers,
      clock,
    });
    this.#sender = new Sender({
      spool: this.#spool,
      client: parts.receiver.client,
      clock,
      random: options.random,
      downgrade: toRemoteWrite1,
      onDowngrade: (text) => options.onNotice(`sending remote write 1.0 from here on: ${text}`),
      onRejected: (reason, text) =>
        options.onNotice(`the receiver refused points (${reason}): ${text}`),
    });
    if (this.#spool.pending.batches > 0) this.#sender.wake();
    if (options.isLive) {
      // The check comes after the event loop has looked for input: what waits to be read is no silence.
      const check = (): void => void setImmediate(() => this.#closeIdleInterval());
      this.#idleTimer = setInterval(check, idleCheckMs);
    }
  }

  get sink(): SampleSink {
    return this.#aggregator;
  }

  get progress(): OutputProgress {
    const { pending } = this.#spool;
    const totals = this.#sender.totals;
    const rejected = new Map(this.#refused);
    for (const [reason, { samples, histograms }] of totals.rejected) {
      rejected.set(reason, (rejected.get(reason) ?? 0) + samples + histograms);
    }
    return {
      samples: this.#aggregator.counts,
      points: {
        recovered: this.#recovered,
        encoded: this.#encoded,
        delivered: totals.delivered.samples + totals.delivered.histograms,
        pending: pending.samples + pending.histograms,
        rejected,
      },
      mapper: this.#mapper.counts,
      sender: totals,
      state: this.#sender.state,
      spoolBytes: pending.bytes,
      encodedBytes: this.#encodedBytes,
    };
  }

  /** What the run has measured so far. */
  totals(): MetricTotals[] {
    return this.#aggregator.totals();
  }

  /** Closes the last interval, writes how the run ended, and sends until all is sent or the time is over. */
  async finish(end: Pick<RunEnd, "state" | "thresholds">): Promise<void> {
    this.#stopIdleCheck();
    this.#aggregator.finish();
    const { oldestMs, newestMs, endMs } = this.#aggregator;
    const hasSamples = endMs > 0;
    this.#runSeries.finish(hasSamples ? endMs : this.#options.clock.nowMs(), {
      ...end,
      startMs: hasSamples ? oldestMs : undefined,
      endMs: hasSamples ? newestMs : undefined,
      totals: this.totals(),
    });
    const isDelivered = await this.#sender.drain(this.#options.remoteWrite.drainTimeoutMs);
    await this.close();
    // The last interval may end after the load did, and nobody can ask for points of the future.
    if (isDelivered && this.#options.isLive) await this.#sleepUntil(endMs);
  }

  async #sleepUntil(timestampMs: number): Promise<void> {
    const { clock } = this.#options;
    const remainingMs = timestampMs - clock.nowMs();
    if (remainingMs > 0) await clock.sleep(Math.min(remainingMs, longestWaitMs));
  }

  /** Stops at once. What is not acknowledged stays in the spool. A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#idleTimer);
    await this.#sender.stop();
    await this.#spool.close();
    await this.#receiver.client.close();
  }

  #append(batch: EncodedBatch): void {
    const points = batch.samples + batch.histograms;
    this.#encoded += points;
    this.#encodedBytes += batch.body.length;
    const outcome = this.#spool.append(batch);
    if (outcome.kind === "appended") {
      this.#sender.wake();
      return;
    }
    const before = this.#refused.get(outcome.reason);
    this.#refused.set(outcome.reason, (before ?? 0) + points);
    if (before === undefined) this.#options.onNotice(outcome.text);
  }

  #stopIdleCheck(): void {
    clearInterval(this.#idleTimer);
    this.#isFinished = true;
  }

  /** Lets time go on while no sample comes: as much of it as has passed since the newest one came. */
  #closeIdleInterval(): void {
    if (this.#isFinished) return;
    const nowMs = this.#options.clock.nowMs();
    const { newestMs } = this.#aggregator;
    if (newestMs !== this.#newestMs) {
      this.#newestMs = newestMs;
      this.#arrivedMs = nowMs;
      return;
    }
    const graceMs = this.#options.remoteWrite.latenessMs + idleGraceMs;
    if (newestMs > 0) this.#aggregator.advanceTo(newestMs + (nowMs - this.#arrivedMs) - graceMs);
  }
}
