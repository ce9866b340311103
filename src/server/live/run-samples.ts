/**
 * The samples of one run that goes on: a journal, and what is made of it.
 *
 *     push ─► Journal ─► (in the order of the journal) ─► Pipeline ─► an output's spool
 *
 * A push is written down before it is answered; everything else follows from the journal. Which intervals are closed, and
 * when, is written down before it happens; that an output's spool has their points, after. So whoever reads the journal
 * again, after a crash or because an output has become usable, makes the same points once more and passes over those that
 * the spool has. What a crash leaves in doubt is spooled again: points that their series have already, which stores take.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../clock.ts";
import { decodeMetricSet, type MetricSet } from "../../cloud/metric-set.ts";
import type { PrometheusOutput } from "../../output/prometheus-output.ts";
import type { ThresholdResult } from "../../output/run-series.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunState } from "../../runs/run-state.ts";
import { PlimsollError } from "../../errors.ts";
import { Journal, journalPath, type NumberedRecord } from "./journal.ts";
import type { JournalEntry } from "./journal-record.ts";
import { JournalFacts } from "./journal-facts.ts";
import { Pipeline } from "./pipeline.ts";
import { RunOutputs } from "./run-outputs.ts";
import type { Receiver } from "./receiver.ts";
import type { ThresholdWatch } from "./threshold-watch.ts";
import { Watermark } from "./watermark.ts";

export interface RunSamplesOptions {
  readonly receivers: readonly Receiver[];
  /** Of the journals. */
  readonly directory: string;
  readonly journalLimitBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly userAgent: string;
  readonly onNotice: (text: string) => void;
}

/** Clocks differ: a generator's may be so far behind ours. */
const clockDifferenceMs = 60_000;
/** Of pushes that are written down and wait for their turn: beyond it the generators wait, too. */
const waitingLimitBytes = 64 * 1024 ** 2;
/** To open an output, the run is read from its beginning. */
const openAgainMs = 5_000;
const noBody = Buffer.alloc(0);

export class RunSamples {
  readonly #record: RunRecord;
  readonly #options: RunSamplesOptions;
  readonly #journal: Journal;
  readonly #facts: JournalFacts;
  readonly #watermark: Watermark;
  readonly #intervalMs: number;
  readonly #outputs: RunOutputs;
  /** Says when what is being applied was written down. */
  readonly #sampleClock: Clock;
  #sampleTimeMs = 0;
  #pipeline: Pipeline | undefined;
  #applied = 0;
  #work: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #openAgainMs = 0;

  /** @throws SpoolError, or what the file system throws, where the journal cannot be used */
  static async open(record: RunRecord, options: RunSamplesOptions): Promise<RunSamples> {
    const facts = new JournalFacts();
    const journal = await Journal.open(
      journalPath(options.directory, record.id),
      options.journalLimitBytes,
      ({ entry, number }) => facts.take(entry, number),
    );
    const samples = new RunSamples(record, options, journal, facts);
    if (journal.tornBytes > 0) {
      options.onNotice(`${journal.tornBytes} bytes at the end of the journal are of no use`);
    }
    if (journal.length === 0) samples.#begin();
    samples.#applied = journal.length;
    samples.#enqueue(() => samples.#rebuild());
    return samples;
  }

  private constructor(
    record: RunRecord,
    options: RunSamplesOptions,
    journal: Journal,
    facts: JournalFacts,
  ) {
    this.#record = record;
    this.#options = options;
    this.#journal = journal;
    this.#facts = facts;
    this.#watermark = new Watermark(options.clock.nowMs(), journal.length > 0);
    this.#intervalMs = Math.min(...options.receivers.map((one) => one.options.pushIntervalMs));
    this.#sampleClock = { ...options.clock, nowMs: () => this.#sampleTimeMs };
    this.#outputs = new RunOutputs(record, {
      ...options,
      facts,
      sampleClock: this.#sampleClock,
      number: () => this.#applied,
      onOpened: (entry) => void this.#write(entry),
    });
  }

  get outputs(): readonly PrometheusOutput[] {
    return [...this.#outputs.open.values()];
  }

  /** When the newest push arrived, Unix milliseconds; undefined before the first. */
  get lastArrivalMs(): number | undefined {
    return this.#facts.lastArrivalMs;
  }

  /** Of the samples, Unix milliseconds; undefined before the first. */
  get firstSampleMs(): number | undefined {
    const oldestMs = this.#facts.startedMs ?? this.#pipeline?.window.oldestMs;
    return oldestMs === Infinity ? undefined : oldestMs;
  }

  get lastSampleMs(): number {
    return this.#pipeline?.window.newestMs ?? 0;
  }

  /** Whether the end is written, and nothing has come since. */
  get isEnded(): boolean {
    return this.#facts.isEnded;
  }

  /** Who wants the run to stop. */
  get stopBy(): string | undefined {
    return this.#facts.stopBy;
  }

  /** Whether `totals` are those of the whole run. */
  get isWhole(): boolean {
    return this.#facts.startedMs === undefined;
  }

  /** Whether the stores have everything up to the end. */
  get isDelivered(): boolean {
    return this.isEnded && this.#outputs.areDelivered;
  }

  /** What has been counted. Undefined while the journal is read. */
  get watch(): ThresholdWatch | undefined {
    return this.#pipeline?.watch;
  }

  /** False for one that is written down already. */
  push(push: { instance: string; key: string; body: Buffer }, set: MetricSet): boolean {
    const { instance, key, body } = push;
    const atMs = this.#options.clock.nowMs();
    if (this.#facts.isRepeated(instance, key)) return false;
    const entry: JournalEntry = { kind: "push", atMs, instance, key };
    const number = this.#write(entry, body);
    this.#watermark.arrived(set, atMs);
    this.#waitingBytes += body.length;
    this.#enqueue(async () => {
      this.#waitingBytes -= body.length;
      await this.#apply({ entry, body, number }, set);
    });
    return true;
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    if (this.#waitingBytes > waitingLimitBytes) await this.#work;
  }

  /** Closes the intervals that the clock says are over. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#openMore(nowMs);
    if (this.#facts.lastArrivalMs === undefined || this.isEnded) return;
    const width = this.#intervalMs;
    const untilMs = Math.floor(this.#watermark.at(nowMs) / width) * width;
    if (untilMs > this.#facts.closedMs) this.#close(untilMs);
  }

  /** Takes over everything that has come, whatever the clock says. */
  async flush(): Promise<void> {
    await this.#work;
    this.#close(Math.max(this.#facts.closedMs, this.lastSampleMs + 1));
    await this.#work;
  }

  /** Writes how the run ended: again, where samples came since. */
  async end(state: RunState, thresholds: readonly ThresholdResult[]): Promise<void> {
    const atMs = this.#options.clock.nowMs();
    this.#follow({ kind: "end", atMs, state, thresholds });
    await this.#work;
  }

  stop(by: string): void {
    this.#write({ kind: "stop", by });
  }

  /** Everything that is written down is taken over. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Stops. What is not sent after `drainTimeoutMs` is sent by whoever opens the run again. */
  async close(drainTimeoutMs: number): Promise<void> {
    await this.#work;
    if (this.#journal.isGivenUp) await this.flush();
    await this.#outputs.close(drainTimeoutMs);
    await this.#journal.close();
  }

  /** The run is over, and nothing more is expected. */
  async remove(): Promise<void> {
    await this.#work;
    await this.#outputs.close(0);
    await this.#journal.remove();
  }

  #begin(): void {
    const { createdMs, startedMs } = this.#record;
    // The store has points of this run that no journal has: what comes now is behind them.
    const earliestMs =
      startedMs === undefined ? createdMs - clockDifferenceMs : this.#options.clock.nowMs();
    this.#write({ kind: "begin", earliestMs, startedMs });
  }

  /** It has become known what a store takes, or an output could not be opened. */
  #openMore(nowMs: number): void {
    if (nowMs < this.#openAgainMs || !this.#outputs.canOpenMore || this.#journal.isGivenUp) return;
    this.#openAgainMs = nowMs + openAgainMs;
    this.#enqueue(() => this.#rebuild());
  }

  #close(untilMs: number): void {
    this.#follow({ kind: "close", untilMs, atMs: this.#options.clock.nowMs() });
  }

  /** Writes it down and does it in its turn. */
  #follow(entry: JournalEntry): void {
    const number = this.#write(entry);
    this.#enqueue(() => this.#apply({ entry, body: noBody, number }));
  }

  /** Its number. */
  #write(entry: JournalEntry, body: Buffer = noBody): number {
    const problem = this.#journal.append(entry, body);
    if (problem !== undefined) {
      this.#giveUp(problem);
      this.#journal.append(entry, body);
    }
    this.#facts.take(entry, this.#journal.length);
    return this.#journal.length;
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      const text = error instanceof PlimsollError ? error.message : String((error as Error).stack);
      this.#options.onNotice(text);
    });
  }

  async #apply({ entry, body, number }: NumberedRecord, set?: MetricSet): Promise<void> {
    // Whoever pushes is answered in between.
    await nextTurn();
    this.#applied = number;
    if ("atMs" in entry) this.#sampleTimeMs = entry.atMs;
    const pipeline = this.#pipeline;
    switch (entry.kind) {
      case "push":
        await pipeline?.push(entry.instance, set ?? decodeMetricSet(body));
        break;
      case "close":
        pipeline?.close(entry.untilMs);
        this.#markSpooled(number);
        break;
      case "end":
        pipeline?.end(entry.state, entry.thresholds);
        this.#markSpooled(number);
        break;
      case "begin":
      case "output":
      case "spooled":
      case "stop":
      // Facts, which are known since they were written.
    }
  }

  #markSpooled(number: number): void {
    for (const output of this.#outputs.open.keys()) {
      if (number > this.#facts.spooledUpTo(output)) {
        this.#write({ kind: "spooled", output, number });
      }
    }
  }

  /** Opens the outputs that can be opened, and takes over from the journal's beginning. */
  async #rebuild(isLastChance = false): Promise<void> {
    await this.#outputs.reopen(isLastChance);
    const { thresholds, createdMs } = this.#record;
    this.#pipeline = new Pipeline({
      outputs: [...this.#outputs.open.values()],
      thresholds,
      createdMs,
      earliestMs: this.#facts.earliestMs,
      clock: this.#sampleClock,
      onNotice: this.#options.onNotice,
    });
    const upTo = this.#applied;
    for await (const record of this.#journal.read(upTo)) await this.#apply(record);
    this.#applied = upTo;
  }

  /** The journal cannot be written to. The run goes on without it, and every store has to do with what it takes. */
  #giveUp(problem: string): void {
    this.#journal.giveUp();
    this.#options.onNotice(
      `${problem}: samples are taken and sent as before, but if this server is killed, those of the seconds before are ` +
        "lost, and the run's summary is without all that came before",
    );
    this.#enqueue(async () => {
      if (!this.#outputs.areAllOpen) await this.#rebuild(true);
      this.#journal.discard();
    });
  }
}
