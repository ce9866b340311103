/**
 * The outputs of one run: one for each store, opened as soon as it is known what that store takes.
 *
 * What is sent to a store, by which protocol and with which kind of histograms, stays the same for as long as the run lasts,
 * whoever goes on with it: the series of a run are of one kind.
 */
import { basename } from "node:path";
import type { Clock } from "../../clock.ts";
import { messageOf, PlimsollError, systemErrorCode } from "../../errors.ts";
import { PrometheusOutput } from "../../output/prometheus-output.ts";
import { spoolFolder } from "../../output/spool-folder.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { JournalFacts, SentForm } from "./journal-facts.ts";
import type { JournalEntry } from "./journal-record.ts";
import type { Receiver } from "./receiver.ts";

export interface StoreContext {
  readonly receivers: readonly Receiver[];
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Name and version, e.g. `plimsoll/1.2.3`. */
  readonly userAgent: string;
  /** Something that the operator should know. */
  readonly onNotice: (text: string) => void;
}

export interface RunOutputsOptions extends StoreContext {
  readonly facts: JournalFacts;
  /** Says when the samples that are handed over arrived. */
  readonly sampleClock: Clock;
  /** The number of the record whose points are being made. */
  readonly number: () => number;
  /** Whether the records can be played again. */
  readonly isKept: () => boolean;
  /** Writes down what is sent to a store. */
  readonly onOpened: (entry: JournalEntry) => void;
}

export class RunOutputs {
  readonly #record: RunRecord;
  readonly #options: RunOutputsOptions;
  /** By the name of the spool's folder. */
  readonly #open = new Map<string, PrometheusOutput>();
  /** By the same, why one could not be opened at the last try: said once. */
  readonly #problems = new Map<string, string>();

  constructor(record: RunRecord, options: RunOutputsOptions) {
    this.#record = record;
    this.#options = options;
  }

  /** By name. */
  get open(): ReadonlyMap<string, PrometheusOutput> {
    return this.#open;
  }

  /** Whether an output for each store is open. */
  get areAllOpen(): boolean {
    return this.#open.size === this.#options.receivers.length;
  }

  /** Whether an output that is not open could be, or opened again. */
  get canOpenMore(): boolean {
    return this.#options.receivers.some((receiver) => {
      const output = this.#open.get(this.#nameOf(receiver));
      return output ? isToReopen(output) : this.#agreementOf(receiver) !== undefined;
    });
  }

  /** Whether points are in the journal only, for a spool has refused them. */
  get haveRefused(): boolean {
    return [...this.#open.values()].some(({ hasRefused }) => hasRefused);
  }

  /** Whether one could not be opened at the last try. */
  get haveFailed(): boolean {
    return this.#problems.size > 0;
  }

  /** Whether every store has the points of all records. */
  get areDelivered(): boolean {
    const { facts } = this.#options;
    const outputs = [...this.#open];
    return (
      this.areAllOpen &&
      outputs.every(
        ([name, { progress }]) =>
          progress.points.pending === 0 && facts.spooledUpTo(name) >= facts.lastPoints,
      )
    );
  }

  /**
   * Opens those that can be opened. Where one more can, all others are opened again: all begin with nothing counted.
   *
   * @param isLastChance Whether a store that has not said what it takes gets what every store understands.
   * @returns Whether there is one more, or one begins again; else those that were open go on.
   */
  async openMore(isLastChance: boolean): Promise<boolean> {
    const refused = [...this.#open].filter(([, output]) => isToReopen(output));
    await this.#close(refused);
    const before = [...this.#open];
    const missing = this.#options.receivers.filter((one) => !this.#open.has(this.#nameOf(one)));
    for (const receiver of missing) await this.#tryToOpen(receiver, isLastChance);
    if (this.#open.size === before.length && refused.length === 0) return false;
    await this.#close(before);
    const others = this.#options.receivers.filter((one) => !missing.includes(one));
    for (const receiver of others) await this.#tryToOpen(receiver, isLastChance);
    return true;
  }

  /** What is not sent after `drainTimeoutMs` stays in the spools. */
  async close(drainTimeoutMs: number): Promise<void> {
    const outputs = [...this.#open.values()];
    this.#open.clear();
    if (drainTimeoutMs > 0) {
      await Promise.all(outputs.map((output) => output.drain(drainTimeoutMs)));
    }
    await Promise.all(outputs.map((output) => output.close()));
  }

  /**
   * Whether an output's spool has this record's points, or is not to have them yet: behind points that were refused, all
   * others wait, for a store takes them in the order of time only.
   */
  isPassedOver(name: string, number: number): boolean {
    const { facts, isKept } = this.#options;
    if (number <= facts.spooledUpTo(name)) return true;
    return this.#open.get(name)?.hasRefused === true && isKept();
  }

  async #close(outputs: readonly (readonly [string, PrometheusOutput])[]): Promise<void> {
    for (const [name, output] of outputs) {
      this.#open.delete(name);
      await output.close();
    }
  }

  async #tryToOpen(receiver: Receiver, isLastChance: boolean): Promise<void> {
    const agreement = this.#agreementOf(receiver) ?? (isLastChance ? receiver.fallback : undefined);
    if (agreement === undefined) return;
    const name = this.#nameOf(receiver);
    try {
      await this.#openOne(receiver, agreement);
      this.#problems.delete(name);
    } catch (error) {
      if (!(error instanceof PlimsollError) && systemErrorCode(error) === undefined) throw error;
      const text = `samples for ${receiver.displayUrl} wait in the journal: ${messageOf(error)}`;
      if (this.#problems.get(name) !== text) this.#options.onNotice(text);
      this.#problems.set(name, text);
    }
  }

  async #openOne(receiver: Receiver, { protocol, trendForm }: SentForm): Promise<void> {
    const { facts, sampleClock, number, onOpened } = this.#options;
    const { testid, test, generator, createdMs, state } = this.#record;
    const name = this.#nameOf(receiver);
    const tags = new Map(Object.entries(this.#record.tags));
    const startMs = facts.startedMs;
    const output = await PrometheusOutput.open({
      ...this.#options,
      remoteWrite: receiver.options,
      identity: { testid, test },
      tags,
      info: new Map([...tags, ["generator", generator]]),
      isLive: true,
      storesSelfMetrics: false,
      startMs: createdMs,
      journaled: {
        agreement: { protocol, trendForm },
        clock: sampleClock,
        isSpooled: () => this.isPassedOver(name, number()),
        ...(startMs !== undefined && { continues: { startMs, state } }),
      },
    });
    this.#open.set(name, output);
    if (!facts.agreementWith(name)) {
      onOpened({ kind: "output", output: name, protocol, trendForm });
    }
  }

  #agreementOf(receiver: Receiver): SentForm | undefined {
    return this.#options.facts.agreementWith(this.#nameOf(receiver)) ?? receiver.agreement;
  }

  #nameOf({ options }: Receiver): string {
    return basename(spoolFolder("", this.#record.testid, options.url));
  }
}

/** Its spool has refused points, and by now the store has all that it took: there is room again. */
function isToReopen({ hasRefused, progress }: PrometheusOutput): boolean {
  return hasRefused && progress.points.pending === 0;
}
