/**
 * What a run's journal says without the samples in it: known as soon as a record is written, and after a restart again.
 */
import type { MetricSet } from "../../cloud/metric-set.ts";
import type { Agreement } from "../../output/negotiate.ts";
import type { PushExcess, ReportedEnd } from "../../runs/run-service.ts";
import type { JournalEntry } from "./journal-record.ts";

/**
 * Names that whoever pushes may make up. Each costs memory for as long as the run goes on: of a generator, a table of its
 * series; of a metric, its sum, and one series even beyond `--max-series`. More generators than these are beyond what a
 * server bears (docs/k6-cloud.md, "Limits"), and of metrics k6 has some fifty of its own and those that a script declares.
 */
export const nameLimits = { generators: 1_000, metrics: 1_000 } as const;

/** k6 sends a push again within seconds; a proxy or a person may take longer. */
const rememberKeysMs = 10 * 60_000;

/** What is sent to an output. */
export type SentForm = Pick<Agreement, "protocol" | "trendForm">;

export class JournalFacts {
  /** No sample is taken to be older. */
  earliestMs = 0;
  /** Where the journal is not of the whole run. */
  startedMs: number | undefined;
  lastArrivalMs: number | undefined;
  /** When the newest record was written; 0 before the first. */
  lastMs = 0;
  /** Up to when intervals are closed. */
  closedMs = 0;
  reported: ReportedEnd | undefined;
  isEnded = false;
  /** Number of the last record that makes points. */
  lastPoints = 0;
  stopBy: string | undefined;
  readonly #agreements = new Map<string, SentForm>();
  readonly #spooled = new Map<string, number>();
  /** Pushes by instance and key, oldest first, and when they arrived. */
  readonly #pushes = new Map<string, number>();
  readonly #generators = new Set<string>();
  readonly #metrics = new Set<string>();

  take(entry: JournalEntry, number: number): void {
    if ("atMs" in entry) this.lastMs = entry.atMs;
    switch (entry.kind) {
      case "begin":
        this.earliestMs = entry.earliestMs;
        this.startedMs = entry.startedMs;
        return;
      case "push":
        this.lastArrivalMs = entry.atMs;
        this.isEnded = false;
        this.#generators.add(entry.instance);
        this.#remember(pushKey(entry.instance, entry.key), entry.atMs);
        return;
      case "close":
        this.closedMs = entry.untilMs;
        this.lastPoints = number;
        return;
      case "report":
        this.reported = entry.end;
        return;
      case "end":
        this.isEnded = true;
        this.lastPoints = number;
        return;
      case "output":
        this.#agreements.set(entry.output, entry);
        return;
      case "spooled":
        this.#spooled.set(entry.output, entry.number);
        return;
      case "stop":
        this.stopBy = entry.by;
        return;
    }
  }

  /** The metrics of a push that is written down: its entry does not name them. */
  learn({ metrics }: MetricSet): void {
    for (const { name } of metrics) this.#metrics.add(name);
  }

  /** What there would be too many of with this push; undefined where there is room. */
  excessOf(instance: string, { metrics }: MetricSet): PushExcess | undefined {
    if (!this.#generators.has(instance) && this.#generators.size >= nameLimits.generators) {
      return "too_many_generators";
    }
    const added = new Set(metrics.map(({ name }) => name).filter((one) => !this.#metrics.has(one)));
    const isRoom = added.size === 0 || this.#metrics.size + added.size <= nameLimits.metrics;
    return isRoom ? undefined : "too_many_metrics";
  }

  /** What is sent to an output; undefined where nothing has been. */
  agreementWith(output: string): SentForm | undefined {
    return this.#agreements.get(output);
  }

  /** The number of the last record whose points the output's spool has, and all before it; 0 for none. */
  spooledUpTo(output: string): number {
    return this.#spooled.get(output) ?? 0;
  }

  isRepeated(instance: string, key: string): boolean {
    return this.#pushes.has(pushKey(instance, key));
  }

  #remember(key: string, atMs: number): void {
    for (const [oldest, arrivedMs] of this.#pushes) {
      if (atMs - arrivedMs <= rememberKeysMs) break;
      this.#pushes.delete(oldest);
    }
    this.#pushes.set(key, atMs);
  }
}

function pushKey(instance: string, key: string): string {
  return `${instance}\n${key}`;
}
