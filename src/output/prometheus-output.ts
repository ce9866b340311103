/**
 * `--out prometheus-rw`: the five stages, wired.
 *
 *     sink ─► Aggregator ─► RunSeries ─► BatchEncoder ─► Spool ─► Sender ─► the receiver
 *
 * Everything up to the spool happens in the turn in which a sample is handed over; sending goes on beside it, so
 * a slow receiver holds up nothing but its own spool. Each point is accounted for from reading to its end.
 */
import { Aggregator, type SampleCounts } from "../aggregate/aggregator.ts";
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { PointSink } from "../aggregate/series-point.ts";
import { parseTrendStat } from "../aggregate/trend-stat.ts";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { createNameTemplate } from "../encode/name-templates.ts";
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
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import { Sender, type SenderState, type SenderTotals } from "../send/sender.ts";
import { Spool } from "../spool/spool.ts";
import { negotiate } from "./negotiate.ts";
import { IdleWatch } from "./idle-watch.ts";
import type { Output } from "./output.ts";
import { createClient } from "./create-client.ts";
import { type RunEnd, RunSeries } from "./run-series.ts";
import { spoolFolder } from "./spool-folder.ts";

/**
 * With no newer sample for this long beyond the allowed lateness, time is taken to have gone on without one:
 * k6 writes its lines every 200 ms, and the lateness covers what comes a little later.
 */
const idleGraceMs = 200;

/**
 * The tags by which k6 Cloud tells the generators of one run apart. Without them two generators would write
 * different values to the same series of the run, and a store refuses the second.
 */
const generatorLabels = ["instance_id", "load_zone"];

export interface PrometheusOutputOptions {
  readonly remoteWrite: RemoteWriteOptions;
  readonly identity: RunIdentity;
  /** Labels of `plimsoll_run_info`. */
  readonly info: Tags;
  /** Labels of every series that has none of that name. */
  readonly tags: Tags;
  /** Whether samples come as they are made, so that silence means that time goes on. */
  readonly isLive: boolean;
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
  readonly identity: RunIdentity;
  /** Where it sends to: no credentials, no query string. */
  readonly displayUrl: string;
  readonly protocol: EncodedBatch["protocol"];
  readonly trendForm: TrendForm;
  readonly spoolDirectory: string;
  readonly #options: PrometheusOutputOptions;
  readonly #client: RemoteWriteClient;
  readonly #spool: Spool;
  readonly #sender: Sender;
  readonly #mapper: PrometheusMapper;
  readonly #aggregator: Aggregator;
  readonly #runSeries: RunSeries;
  readonly #refused = new Map<string, number>();
  readonly #idleWatch: IdleWatch | undefined;
  readonly #recovered: number;
  #encoded = 0;
  #encodedBytes = 0;
  #lastPointMs = 0;
  #closed: Promise<void> | undefined;

  /**
   * Asks the receiver what it takes, opens the spool, and is ready for samples.
   *
   * @throws ReceiverError, SpoolError, InputError (a file that an option names), ConfigError (relabel rules)
   */
  static async open(options: PrometheusOutputOptions): Promise<PrometheusOutput> {
    const { remoteWrite, identity, clock, random } = options;
    const { source, rules } = remoteWrite.writeRelabelConfigs;
    const relabelRules = parseRelabelConfigs(rules, source);
    const client = await createClient(remoteWrite, options);
    try {
      const agreement = await negotiate(remoteWrite, client, {
        clock,
        random,
        testid: identity.testid,
        probeMs: options.startMs,
      });
      for (const notice of agreement.notices) options.onNotice(notice);
      const directory = spoolFolder(remoteWrite.spoolDir, identity.testid, remoteWrite.url);
      const spool = await Spool.open(directory, { limitBytes: remoteWrite.spoolLimitBytes });
      const { batches, corruptRecords, truncatedBytes } = spool.recovered;
      if (batches > 0) {
        options.onNotice(
          `the spool ${JSON.stringify(directory)} holds ${batches} requests of an earlier process of this run; ` +
            "they are sent first",
        );
      }
      if (corruptRecords > 0 || truncatedBytes > 0) {
        options.onNotice(
          `the spool ${JSON.stringify(directory)} is damaged: ${corruptRecords} requests and ${truncatedBytes} ` +
            "bytes of an unfinished one are lost",
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
        nameTemplate: createNameTemplate(remoteWrite.nameTemplates),
        relabel: (labels: Parameters<typeof relabel>[0]) => relabel(labels, relabelRules),
      };
      return new PrometheusOutput(options, {
        client,
        spool,
        directory,
        agreement,
        mapperOptions,
      });
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(
    options: PrometheusOutputOptions,
    parts: {
      readonly client: RemoteWriteClient;
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
    this.identity = identity;
    this.#client = parts.client;
    this.#spool = parts.spool;
    this.#recovered = parts.spool.pending.samples + parts.spool.pending.histograms;
    this.spoolDirectory = parts.directory;
    this.displayUrl = parts.client.displayUrl;
    this.protocol = parts.agreement.protocol;
    this.trendForm = parts.agreement.trendForm;
    let lastId = -1;
    const nextId = (): number => ++lastId;
    const encoder = new BatchEncoder(this.protocol, (batch) => this.#append(batch));
    this.#runSeries = new RunSeries(encoder, {
      identity,
      generatorLabels: pick(options.tags, generatorLabels),
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
      client: parts.client,
      clock,
      random: options.random,
      downgrade: toRemoteWrite1,
      onDowngrade: (text) => options.onNotice(`sending remote write 1.0 from here on: ${text}`),
      onRejected: (reason, text) =>
        options.onNotice(`the receiver refused points (${reason}): ${text}`),
    });
    if (this.#spool.pending.batches > 0) this.#sender.wake();
    if (options.isLive) {
      this.#idleWatch = new IdleWatch({
        clock,
        graceMs: remoteWrite.latenessMs + idleGraceMs,
        newestMs: () => this.#aggregator.newestMs,
        advanceTo: (timestampMs) => this.#aggregator.advanceTo(timestampMs),
      });
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

  /** After `finish`: Unix milliseconds of the last points of all series; 0 for a run without samples. */
  get lastPointMs(): number {
    return this.#lastPointMs;
  }

  /** What the run has measured so far. */
  totals(): MetricTotals[] {
    return this.#aggregator.totals();
  }

  /** Closes the last interval, writes how the run ended, and sends until all is sent or the time is over. */
  async finish(end: Pick<RunEnd, "state" | "thresholds" | "counts">): Promise<void> {
    this.#idleWatch?.[Symbol.dispose]();
    const endMs = this.#aggregator.finish();
    this.#lastPointMs = endMs === undefined ? 0 : endMs - 1;
    const { oldestMs, newestMs } = this.#aggregator;
    this.#runSeries.finish(endMs ?? this.#options.clock.nowMs(), {
      ...end,
      startMs: endMs === undefined ? undefined : oldestMs,
      endMs: endMs === undefined ? undefined : newestMs,
      totals: this.totals(),
      samples: this.#aggregator.counts,
    });
    await this.#sender.drain(this.#options.remoteWrite.drainTimeoutMs);
    await this.close();
  }

  /** Stops at once. What is not acknowledged stays in the spool. A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#idleWatch?.[Symbol.dispose]();
    await this.#sender.stop();
    await this.#spool.close();
    await this.#client.close();
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
}

function pick(tags: Tags, names: readonly string[]): Tags {
  return new Map([...tags].filter(([name]) => names.includes(name)));
}
