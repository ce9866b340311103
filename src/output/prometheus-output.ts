/**
 * `--out prometheus-rw`: the five stages, wired.
 *
 *     sink ─► Aggregator ─► RunSeries ─► Delivery (BatchEncoder ─► Spool ─► Sender) ─► the receiver
 *
 * Everything up to the spool happens in the turn in which a sample is handed over; sending goes on beside it, so
 * a slow receiver holds up nothing but its own spool. Each point is accounted for from reading to its end.
 */
import { Aggregator } from "../aggregate/aggregator.ts";
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { PointSink } from "../aggregate/series-point.ts";
import type { Clock } from "../clock.ts";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { PrometheusMapper, type TrendForm } from "../encode/prometheus-mapper.ts";
import { parseRelabelConfigs } from "../encode/parse-relabel-configs.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import type { Tags } from "../sample/sample.ts";
import type { BucketSink } from "../sample/sample-bucket.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import { RunSpool } from "../spool/run-spool.ts";
import { withoutSpooled } from "./journaled-samples.ts";
import type { PrometheusOutputOptions } from "./prometheus-output-options.ts";
import { createMapperOptions } from "./mapper-options.ts";
import { negotiate } from "./negotiate.ts";
import { IdleWatch } from "./idle-watch.ts";
import type { Output } from "./output.ts";
import type { OutputProgress } from "./output-progress.ts";
import { createClient } from "./create-client.ts";
import { Delivery } from "./delivery.ts";
import { type RunEnd, RunSeries } from "./run-series.ts";
import { SelfSeries } from "./self-series.ts";
import { describeDamage, describeSpools } from "./leftovers.ts";
import { spoolFolder } from "./spool-folder.ts";

/**
 * With no newer sample for this long beyond the allowed lateness, time is taken to have gone on without one:
 * k6 writes its lines every 200 ms, and the lateness covers what comes a little later.
 */
const idleGraceMs = 200;

/** More for what k6 sums up: a second comes as a whole, and one that k6 has at hand late is not empty. */
const bucketGraceMs = 1_500;

/**
 * The tags by which k6 Cloud tells the generators of one run apart. Without them two generators would write
 * different values to the same series of the run, and a store refuses the second.
 */
const generatorLabels = ["instance_id", "load_zone"];

export class PrometheusOutput implements Output {
  readonly name = "prometheus-rw";
  readonly identity: RunIdentity;
  /** Those of the run's own series: its identity, and what tells its generators apart. */
  readonly ownLabels: Readonly<Record<string, string>>;
  /** Where it sends to: no credentials, no query string. */
  readonly displayUrl: string;
  readonly protocol: EncodedBatch["protocol"];
  readonly trendForm: TrendForm;
  readonly spoolDirectory: string;
  readonly #options: PrometheusOutputOptions;
  /** Of the samples. */
  readonly #clock: Clock;
  readonly #client: RemoteWriteClient;
  readonly #delivery: Delivery;
  readonly #mapper: PrometheusMapper;
  readonly #aggregator: Aggregator;
  readonly #points: PointSink;
  readonly #runSeries: RunSeries;
  readonly #selfSeries: SelfSeries | undefined;
  readonly #idleWatch: IdleWatch | undefined;
  #lastPointMs = 0;
  #closed: Promise<void> | undefined;

  /**
   * Asks the receiver what it takes, opens the spool, and is ready for samples.
   *
   * @throws ReceiverError, SpoolError, InputError (a file that an option names), ConfigError (relabel rules)
   */
  static async open(options: PrometheusOutputOptions): Promise<PrometheusOutput> {
    const { remoteWrite, identity, journaled, clock, random } = options;
    const { source, rules } = remoteWrite.writeRelabelConfigs;
    const relabelRules = parseRelabelConfigs(rules, source);
    const client = await createClient(remoteWrite, options);
    let spool: RunSpool | undefined;
    try {
      const agreement = journaled
        ? { ...journaled.agreement, notices: [] }
        : await negotiate(remoteWrite, client, {
            clock,
            random,
            tags: new Map([...pick(options.tags, generatorLabels), ["testid", identity.testid]]),
            probeMs: options.startMs,
          });
      for (const notice of agreement.notices) options.onNotice(notice);
      const directory = spoolFolder(remoteWrite.spoolDir, identity.testid, remoteWrite.url);
      spool = await RunSpool.open(directory, {
        limitBytes: remoteWrite.spoolLimitBytes,
        queues: remoteWrite.queues,
        onNotice: options.onNotice,
        manifest: {
          ...identity,
          url: client.displayUrl,
          created: new Date(clock.nowMs()).toISOString(),
        },
      });
      const found = journaled
        ? describeDamage(spool)
        : await describeSpools({ ...options, labels: allLabelsOf(options) }, client, spool);
      for (const notice of found) options.onNotice(notice);
      const mapperOptions = createMapperOptions(options, agreement.trendForm, relabelRules);
      return new PrometheusOutput(options, {
        client,
        spool,
        directory,
        agreement,
        mapperOptions,
      });
    } catch (error) {
      await spool?.close();
      await client.close();
      throw error;
    }
  }

  private constructor(
    options: PrometheusOutputOptions,
    parts: {
      readonly client: RemoteWriteClient;
      readonly spool: RunSpool;
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
    const ofGenerator = pick(options.tags, generatorLabels);
    this.ownLabels = { ...Object.fromEntries(ofGenerator), ...identity };
    this.#delivery = new Delivery({
      ...options,
      ...parts,
      sampleAgeLimitMs: remoteWrite.sampleAgeLimitMs,
    });
    this.spoolDirectory = parts.directory;
    this.displayUrl = parts.client.displayUrl;
    this.protocol = parts.agreement.protocol;
    this.trendForm = parts.agreement.trendForm;
    let lastId = -1;
    const nextId = (): number => ++lastId;
    const { journaled } = options;
    const points = this.#delivery.points(this.protocol);
    this.#points = journaled ? withoutSpooled(points, journaled.isSpooled) : points;
    this.#clock = journaled?.clock ?? clock;
    this.#runSeries = new RunSeries(this.#points, {
      identity,
      generatorLabels: ofGenerator,
      info,
      nextId,
      state: journaled?.continues?.state,
      startMs: () => this.#startMs,
      onInterval: (timestampMs) => this.#writeSelf(timestampMs),
    });
    if (options.storesSelfMetrics) {
      this.#selfSeries = new SelfSeries(this.#points, { labels: this.ownLabels, nextId });
    }
    this.#mapper = new PrometheusMapper(parts.mapperOptions, nextId);
    this.#aggregator = new Aggregator(this.#mapper, this.#runSeries satisfies PointSink, {
      pushIntervalMs: remoteWrite.pushIntervalMs,
      latenessMs: remoteWrite.latenessMs,
      staleMarkers: remoteWrite.staleMarkers,
      clock: this.#clock,
    });
    this.#delivery.wake();
    if (options.isLive && !journaled) {
      this.#idleWatch = new IdleWatch({
        clock,
        graceMs: remoteWrite.latenessMs + idleGraceMs,
        newestMs: () => this.#aggregator.newestMs,
        advanceTo: (timestampMs) =>
          this.#aggregator.advanceTo(
            timestampMs - (this.#aggregator.hasBuckets ? bucketGraceMs : 0),
          ),
      });
    }
  }

  /** Whether its spool has not taken all points: those are nowhere else. */
  get hasRefused(): boolean {
    return this.#delivery.hasRefused;
  }

  /** Of the run's first sample, Unix milliseconds. */
  get #startMs(): number {
    return this.#options.journaled?.continues?.startMs ?? this.#aggregator.oldestMs;
  }

  get sink(): BucketSink {
    return this.#aggregator;
  }

  get progress(): OutputProgress {
    return {
      ...this.#delivery.progress,
      samples: this.#aggregator.counts,
      mapper: this.#mapper.counts,
      health: this.#options.health?.(),
      atMs: this.#options.clock.nowMs(),
    };
  }

  /** Unix milliseconds; undefined before the first sample. */
  get firstSampleMs(): number | undefined {
    return this.#startMs || undefined;
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
    const runEndMs = this.writeEnd(end);
    const { clock, remoteWrite } = this.#options;
    const deadlineMs = clock.nowMs() + remoteWrite.drainTimeoutMs;
    const isDelivered = await this.drain(remoteWrite.drainTimeoutMs);
    if (isDelivered && this.#selfSeries) {
      // The account of all before it, and so the last to be sent. What is pending is none to close.
      this.#selfSeries.write(runEndMs + 1, this.#aggregator.oldestMs, this.progress);
      this.#points.requestEnd();
      if (remoteWrite.staleMarkers) this.#selfSeries.end(runEndMs + 2);
      this.#points.requestEnd();
      await this.drain(Math.max(0, deadlineMs - clock.nowMs()));
    }
    await this.close();
  }

  /**
   * Closes the last interval and writes how the run ended: again, where samples came after the end. Returns the time of
   * the run's last points.
   */
  writeEnd(end: Pick<RunEnd, "state" | "thresholds" | "counts">): number {
    this.#idleWatch?.[Symbol.dispose]();
    const endMs = this.#aggregator.finish();
    this.#lastPointMs = endMs === undefined ? 0 : endMs - 1;
    const runEndMs = endMs ?? this.#clock.nowMs();
    const isWhole = this.#options.journaled?.continues === undefined;
    this.#runSeries.finish(runEndMs, {
      ...end,
      startMs: endMs === undefined ? undefined : this.#startMs,
      endMs: endMs === undefined ? undefined : this.#aggregator.newestMs,
      totals: isWhole ? this.totals() : [],
      samples: isWhole ? this.#aggregator.counts : undefined,
    });
    return runEndMs;
  }

  /** Sends until nothing waits, and says so, or the time is over. */
  async drain(timeoutMs: number): Promise<boolean> {
    return await this.#delivery.drain(timeoutMs);
  }

  /** Stops at once. What is not acknowledged stays in the spool. A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#idleWatch?.[Symbol.dispose]();
    await this.#delivery.close();
    await this.#client.close();
  }

  #writeSelf(timestampMs: number): void {
    if (!this.#selfSeries?.isDue(timestampMs)) return;
    this.#selfSeries.write(timestampMs, this.#aggregator.oldestMs, this.progress);
  }
}

/** Of the run's own series: those that tell one generator from the others are empty where it has none. */
function allLabelsOf({
  identity,
  tags,
}: PrometheusOutputOptions): RunIdentity & Readonly<Record<string, string>> {
  const ofGenerator = generatorLabels.map((name) => [name, tags.get(name) ?? ""]);
  return { ...Object.fromEntries(ofGenerator), ...identity };
}

function pick(tags: Tags, names: readonly string[]): Tags {
  return new Map([...tags].filter(([name]) => names.includes(name)));
}
