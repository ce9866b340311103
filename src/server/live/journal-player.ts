/**
 * Makes of a run's journal what goes to its outputs.
 *
 * In:  the journal's records, in their order: from the first one on after `begin`. Out: points, of which each output passes
 * over those that its spool has; and, written down, how far each spool is.
 */
import type { Clock } from "../../clock.ts";
import { decodeMetricSet } from "../../cloud/metric-set.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { Backlog } from "./backlog.ts";
import type { NumberedRecord } from "./journal.ts";
import type { JournalFacts } from "./journal-facts.ts";
import type { JournalEntry } from "./journal-record.ts";
import { Pipeline } from "./pipeline.ts";
import { RunOutputs, type StoreContext } from "./run-outputs.ts";

export interface JournalPlayerOptions extends StoreContext {
  readonly facts: JournalFacts;
  /** Of all runs. */
  readonly backlog: Backlog;
  /** Of the shortest interval of an output. */
  readonly intervalMs: number;
  /** Whether the records can be played again. */
  readonly isKept: () => boolean;
  /** Writes a record behind all others. */
  readonly write: (entry: JournalEntry) => void;
}

export class JournalPlayer {
  readonly outputs: RunOutputs;
  readonly #record: RunRecord;
  readonly #options: JournalPlayerOptions;
  readonly #sampleClock: Clock;
  #pipeline: Pipeline | undefined;
  /** The number of the record that is played, and when it was written. */
  #number = 0;
  #timeMs = 0;

  constructor(record: RunRecord, options: JournalPlayerOptions) {
    this.#record = record;
    this.#options = options;
    const { clock } = options;
    // Not `...clock`: a class's methods are not its own.
    this.#sampleClock = {
      nowMs: () => this.#timeMs,
      sleep: async (durationMs, signal) => await clock.sleep(durationMs, signal),
    };
    this.outputs = new RunOutputs(record, {
      ...options,
      sampleClock: this.#sampleClock,
      number: () => this.#number,
      onOpened: options.write,
    });
  }

  /** Undefined before `begin`. */
  get pipeline(): Pipeline | undefined {
    return this.#pipeline;
  }

  /** Opens outputs. True where the records are to be played from the first one on; else nothing has changed. */
  async begin(isLastChance: boolean): Promise<boolean> {
    const isMore = await this.outputs.openMore(isLastChance);
    if (!isMore && this.#pipeline !== undefined) return false;
    const { thresholds, createdMs } = this.#record;
    const { facts, intervalMs, onNotice } = this.#options;
    this.#pipeline = new Pipeline({
      intervalMs,
      outputs: [...this.outputs.open.values()],
      thresholds,
      createdMs,
      earliestMs: facts.earliestMs,
      clock: this.#sampleClock,
      onNotice,
    });
    return true;
  }

  /** What was made of the records is of no use: they are to be played from the first one on. */
  async abandon(): Promise<void> {
    this.#pipeline = undefined;
    await this.outputs.close(0);
  }

  async play(record: NumberedRecord): Promise<void> {
    // Whoever pushes is answered in between.
    await this.#options.backlog.turn(() => this.#play(record));
  }

  async #play({ entry, body, number }: NumberedRecord): Promise<void> {
    this.#number = number;
    if ("atMs" in entry) this.#timeMs = entry.atMs;
    const pipeline = this.#pipeline;
    switch (entry.kind) {
      case "push": {
        const decoded = decodeMetricSet(body);
        this.#options.facts.learn(decoded);
        await pipeline?.push(entry.instance, decoded);
        break;
      }
      case "close":
        pipeline?.close(entry.untilMs);
        this.#markSpooled(number);
        break;
      case "end":
        pipeline?.end(entry.state, entry.thresholds);
        this.#markSpooled(number);
        break;
      case "begin":
      case "report":
      case "output":
      case "spooled":
      case "stop":
      // Facts, which are known since they were written.
    }
  }

  #markSpooled(number: number): void {
    for (const output of this.outputs.open.keys()) {
      if (this.outputs.isPassedOver(output, number)) continue;
      this.#options.write({ kind: "spooled", output, number });
    }
  }
}
