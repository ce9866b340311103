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
import type { MetricSet } from "../../cloud/metric-set.ts";
import type { PrometheusOutput } from "../../output/prometheus-output.ts";
import type { ThresholdResult } from "../../output/run-series.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { PushExcess, ReportedEnd } from "../../runs/run-service.ts";
import type { RunState } from "../../runs/run-state.ts";
import { messageOf, PlimsollError, systemErrorCode } from "../../errors.ts";
import { Attempts } from "./attempts.ts";
import type { Backlog } from "./backlog.ts";
import { Journal, journalPath, type NumberedRecord } from "./journal.ts";
import type { JournalEntry } from "./journal-record.ts";
import { JournalFacts } from "./journal-facts.ts";
import { JournalPlayer } from "./journal-player.ts";
import type { StoreContext } from "./run-outputs.ts";
import { ServiceUnavailable } from "./service-unavailable.ts";
import type { ThresholdWatch } from "./threshold-watch.ts";
import { Watermark } from "./watermark.ts";

export interface RunSamplesOptions extends StoreContext {
  /** Of the journals. */
  readonly directory: string;
  readonly journalLimitBytes: number;
  /** Of all runs. */
  readonly backlog: Backlog;
  /** Whether the journals are still ours to write. */
  readonly isHeld: () => boolean;
}

/** Clocks differ: a generator's may be so far behind ours. */
const clockDifferenceMs = 60_000;
const noBody = Buffer.alloc(0);

export class RunSamples {
  readonly #record: RunRecord;
  readonly #options: RunSamplesOptions;
  readonly #journal: Journal;
  readonly #facts: JournalFacts;
  readonly #watermark: Watermark;
  readonly #intervalMs: number;
  /** By how much the machine's clock was set back while nobody looked: a run's time never is. */
  readonly #setBackMs: number;
  readonly #player: JournalPlayer;
  /** Number of the last record that was played. */
  #applied = 0;
  #work: Promise<void> = Promise.resolve();
  readonly #rebuilds = new Attempts();
  #isRefusalTold = false;

  /**
   * @throws SpoolError, or what the file system throws, where the journal cannot be used; ServiceUnavailable where a new
   * one has no room
   */
  static async open(record: RunRecord, options: RunSamplesOptions): Promise<RunSamples> {
    const facts = new JournalFacts();
    const journal = await Journal.open(
      journalPath(options.directory, record),
      options.journalLimitBytes,
      ({ entry, number }) => facts.take(entry, number),
    );
    const samples = new RunSamples(record, options, journal, facts);
    if (journal.length === 0) {
      const problem = samples.#begin();
      if (problem !== undefined) {
        await journal.remove();
        throw new ServiceUnavailable(problem);
      }
    }
    if (journal.tornBytes > 0) {
      options.onNotice(`${journal.tornBytes} bytes at the end of the journal are of no use`);
    }
    samples.#applied = journal.length;
    samples.#enqueueRebuild();
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
    this.#setBackMs = Math.max(0, facts.lastMs - options.clock.nowMs());
    this.#watermark = new Watermark(this.#nowMs, journal.length > 0);
    this.#intervalMs = Math.min(...options.receivers.map((one) => one.options.pushIntervalMs));
    this.#player = new JournalPlayer(record, {
      ...options,
      facts,
      intervalMs: this.#intervalMs,
      isKept: () => !journal.isGivenUp,
      write: (entry) => this.#note(entry),
    });
  }

  get outputs(): readonly PrometheusOutput[] {
    return [...this.#player.outputs.open.values()];
  }

  /** When the newest push arrived, Unix milliseconds; undefined before the first. */
  get lastArrivalMs(): number | undefined {
    return this.#facts.lastArrivalMs;
  }

  /** For how long no push has come: of the run's time, which a clock that was set back is behind. */
  get quietMs(): number {
    return this.#nowMs - (this.#facts.lastArrivalMs ?? 0);
  }

  /** Of the samples, Unix milliseconds; undefined before the first. */
  get firstSampleMs(): number | undefined {
    const oldestMs = this.#facts.startedMs ?? this.#player.pipeline?.window.oldestMs;
    return oldestMs === Infinity ? undefined : oldestMs;
  }

  /** From the first sample to the last. */
  get runSeconds(): number {
    const { firstSampleMs } = this;
    return firstSampleMs === undefined ? 0 : (this.#lastSampleMs - firstSampleMs) / 1_000;
  }

  /** How the run ended, by its creator's word. */
  get reported(): ReportedEnd | undefined {
    return this.#facts.reported;
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
    return this.isEnded && this.#player.outputs.areDelivered;
  }

  /** What has been counted. Undefined while the journal is read. */
  get watch(): ThresholdWatch | undefined {
    return this.#player.pipeline?.watch;
  }

  /** @throws ServiceUnavailable where it could not be written down: it is to be sent again */
  push(
    push: { instance: string; key: string; body: Buffer },
    set: MetricSet,
  ): "stored" | "repeated" | PushExcess {
    const { instance, key, body } = push;
    const atMs = this.#nowMs;
    if (this.#facts.isRepeated(instance, key)) return "repeated";
    const excess = this.#facts.excessOf(instance, set);
    if (excess !== undefined) return excess;
    const entry: JournalEntry = { kind: "push", atMs, instance, key };
    const number = this.#write(entry, body);
    // Now, not in its turn: others come before that.
    this.#facts.learn(set);
    this.#watermark.arrived(set, atMs);
    const { backlog } = this.#options;
    backlog.add(body.length);
    // Not as it is decoded, which is many times as large.
    this.#enqueue(async () => {
      backlog.remove(body.length);
      await this.#apply({ entry, body, number });
    });
    return "stored";
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    if (this.#options.backlog.isFull) await this.#work;
  }

  /** Closes the intervals that the clock says are over. */
  tick(): void {
    const nowMs = this.#nowMs;
    if (this.#needsRebuild && this.#rebuilds.isDue(nowMs)) this.#enqueueRebuild();
    if (this.#facts.lastArrivalMs === undefined || this.isEnded) return;
    const width = this.#intervalMs;
    const untilMs = Math.floor(this.#watermark.at(nowMs) / width) * width;
    if (untilMs <= this.#facts.closedMs) return;
    try {
      this.#close(untilMs);
    } catch (error) {
      // The interval stays open until there is room for its end.
      if (!(error instanceof ServiceUnavailable)) throw error;
    }
  }

  /**
   * Takes over everything that has come, whatever the clock says: with `aheadMs`, its last interval is closed, too.
   *
   * @throws ServiceUnavailable, as do `report`, `end` and `stop`, where it could not be written down
   */
  async flush(aheadMs = 0): Promise<void> {
    await this.#work;
    this.#close(Math.max(this.#facts.closedMs, this.#lastSampleMs + 1 + aheadMs));
    await this.#work;
  }

  report(end: ReportedEnd): void {
    this.#write({ kind: "report", end });
  }

  /** Writes how the run ended: again, where samples came since. */
  async end(state: RunState, thresholds: readonly ThresholdResult[]): Promise<void> {
    const atMs = this.#nowMs;
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
    if (this.#journal.isGivenUp && this.#options.isHeld()) await this.flush(this.#intervalMs);
    await this.#player.outputs.close(drainTimeoutMs);
    await this.#journal.close();
  }

  /** The run is over, and nothing more is expected. */
  async remove(): Promise<void> {
    await this.#work;
    await this.#player.outputs.close(0);
    await this.#journal.remove();
  }

  get #nowMs(): number {
    return this.#options.clock.nowMs() + this.#setBackMs;
  }

  get #lastSampleMs(): number {
    return this.#player.pipeline?.window.newestMs ?? 0;
  }

  /** Why it could not be written down. */
  #begin(): string | undefined {
    const { createdMs, startedMs } = this.#record;
    // The store has points of this run that no journal has: what comes now is behind them.
    const earliestMs = startedMs === undefined ? createdMs - clockDifferenceMs : this.#nowMs;
    const entry: JournalEntry = { kind: "begin", earliestMs, startedMs };
    const problem = this.#journal.append(entry);
    this.#facts.take(entry, this.#journal.length);
    return problem;
  }

  /** Whether it has become known what a store takes, a spool has room again, or the last rebuild has failed. */
  get #needsRebuild(): boolean {
    if (this.#journal.isGivenUp) return false;
    return this.#player.pipeline === undefined || this.#player.outputs.canOpenMore;
  }

  /** @param problem Why the journal cannot be written to: then it is given up, if it can be. */
  #enqueueRebuild(problem?: string): void {
    this.#rebuilds.begin();
    this.#enqueue(async () => {
      const { outputs } = this.#player;
      await this.#rebuild(problem !== undefined).finally(() => {
        const hasFailed = this.#player.pipeline === undefined || outputs.haveFailed;
        this.#rebuilds.end(this.#nowMs, hasFailed || outputs.haveRefused);
      });
      if (problem !== undefined) this.#giveUp(problem);
    });
  }

  #close(untilMs: number): void {
    this.#follow({ kind: "close", untilMs, atMs: this.#nowMs });
  }

  /** Writes it down and does it in its turn. */
  #follow(entry: JournalEntry): void {
    const number = this.#write(entry);
    this.#enqueue(() => this.#apply({ entry, body: noBody, number }));
  }

  /** Its number. @throws ServiceUnavailable where it could not be written: then it has not happened */
  #write(entry: JournalEntry, body: Buffer = noBody): number {
    if (!this.#options.isHeld()) throw new ServiceUnavailable("another process has the journals");
    const problem = this.#journal.append(entry, body);
    if (problem !== undefined) {
      if (this.#rebuilds.isDue(this.#nowMs)) this.#enqueueRebuild(problem);
      else if (!this.#canGiveUp) this.#tellRefusal(problem);
      throw new ServiceUnavailable(`${problem}: try again`);
    }
    this.#facts.take(entry, this.#journal.length);
    return this.#journal.length;
  }

  /** What is no more than good to know later: where there is no room for it, points are spooled again. */
  #note(entry: JournalEntry): void {
    if (this.#options.isHeld()) this.#journal.append(entry);
    this.#facts.take(entry, this.#journal.length);
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: unknown) => this.#tell(error));
  }

  #tell(error: unknown): void {
    const isExpected = error instanceof PlimsollError || systemErrorCode(error) !== undefined;
    this.#options.onNotice(isExpected ? messageOf(error) : String((error as Error).stack));
  }

  /** Opens the outputs that can be opened; where there is one more, all of the journal is played to all of them. */
  async #rebuild(isLastChance: boolean): Promise<void> {
    if (this.#journal.isGivenUp) return;
    try {
      if (!(await this.#player.begin(isLastChance))) return;
      for await (const record of this.#journal.read(this.#applied)) await this.#play(record);
    } catch (error) {
      await this.#player.abandon();
      throw error;
    }
  }

  async #apply(record: NumberedRecord): Promise<void> {
    const { kind } = record.entry;
    // A store must not have what a machine that fails forgets: totals that go back are read as a new beginning.
    if (kind === "close" || kind === "end") await this.#journal.sync();
    this.#applied = record.number;
    await this.#play(record);
  }

  /** A record that is a bug of ours costs its own samples, the first time and each time that it is read again. */
  async #play(record: NumberedRecord): Promise<void> {
    await this.#player.play(record).catch((error: unknown) => this.#tell(error));
  }

  /** Whether the spools have taken all that is closed. */
  get #canGiveUp(): boolean {
    const { pipeline, outputs } = this.#player;
    return pipeline !== undefined && outputs.areAllOpen && !outputs.haveRefused;
  }

  #tellRefusal(problem: string): void {
    if (this.#isRefusalTold) return;
    this.#isRefusalTold = true;
    this.#options.onNotice(
      `${problem}: samples are refused until there is room, for the spools have not taken what the journal has`,
    );
  }

  /**
   * The journal cannot be written to. The run goes on without it, and every store has to do with what it takes: but not
   * as long as it alone has what was acknowledged.
   */
  #giveUp(problem: string): void {
    if (this.#journal.isGivenUp || !this.#options.isHeld()) return;
    if (!this.#canGiveUp) {
      this.#tellRefusal(problem);
      return;
    }
    this.#journal.giveUp();
    this.#options.onNotice(
      `${problem}: samples are taken and sent as before, but if this server is killed, those of the seconds before are ` +
        "lost, and the run's summary is without all that came before",
    );
    this.#journal.discard();
  }
}
