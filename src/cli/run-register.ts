/**
 * Keeps a record of a run of `plimsoll run` where the server keeps its own: in the data directory, or in the database.
 *
 * In:  what runs, and how it ended. Out: the record, from when the load has begun.
 *
 * Load and samples come first. A store that is locked, full, away or hangs is tried again in the background, holds up
 * nothing before the end and little then, and is told of once.
 */
import { userInfo } from "node:os";
import process from "node:process";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { messageOf } from "../errors.ts";
import type { IdentifiedRun } from "../output/identify.ts";
import type { RunRecord, RunResult, Transition } from "../runs/run-record.ts";
import type { RunChanges, RunRepository } from "../runs/run-repository.ts";
import { isOver, resultOf } from "../runs/transitions.ts";
import { aliveIntervalMs, timeOutLostRuns } from "./lost-runs.ts";
import { openStore } from "./open-store.ts";
import type { RunOutcome } from "./run-outcome.ts";

export interface RegisteredRun extends IdentifiedRun {
  /** Name and version of what makes the load. */
  readonly generator: string;
  /** Where its samples go, without credentials. */
  readonly store: string;
}

type StoreOptions = Pick<Options, "dataDir" | "databaseUrl">;

/** Every run of this machine is of the first project. */
const projectId = 1;
/** Between two tries. */
const retryMs = 100;
/** A store that fails for so long is told of, and asked less often from then on; a run's end waits no longer for it. */
const patienceMs = 5_000;
/**
 * From then on. When the store is back after minutes, whoever else looks first finds a run without a word for as long, and
 * `timed_out` is for good.
 */
const awayRetryMs = 2_000;

interface End {
  readonly transition: Transition;
  readonly result: RunResult | undefined;
  readonly changes: RunChanges;
  /** Of the first sample, Unix milliseconds. */
  readonly startedMs: number | undefined;
}

export class RunRegister implements AsyncDisposable {
  readonly #run: RegisteredRun;
  readonly #options: StoreOptions;
  readonly #onNotice: (text: string) => void;
  readonly #startMs: number = systemClock.nowMs();
  #repository: RunRepository | undefined;
  /** As it was when this process took it up. */
  #record: RunRecord | undefined;
  #end: End | undefined;
  /** Ends the sleep between two visits of the store. */
  #waking = new AbortController();
  /** What the store says since it has failed. */
  #failure: { readonly sinceMs: number; readonly reason: string } | undefined;
  #isTold = false;
  #isGivenUp = false;
  readonly #work: Promise<void>;

  constructor(run: RegisteredRun, options: StoreOptions, onNotice: (text: string) => void) {
    this.#run = run;
    this.#options = options;
    this.#onNotice = onNotice;
    this.#work = this.#keepUp();
  }

  /** Resolves when the record says how the run ended, or the store has had its time. */
  async end({ state, thresholds, summary, maxVus, startedMs }: RunOutcome): Promise<void> {
    await this.#finish({
      transition: { state, atMs: systemClock.nowMs() },
      result: resultOf(state, thresholds),
      changes: { thresholds, summary, ...(maxVus !== undefined && { maxVus }) },
      startedMs,
    });
  }

  /** A run that nobody has ended is broken off. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end) return;
    const reason = "plimsoll broke off";
    await this.#finish({
      transition: { state: "aborted_by_system", atMs: systemClock.nowMs(), reason },
      result: "error",
      changes: {},
      startedMs: undefined,
    });
  }

  async #finish(end: End): Promise<void> {
    this.#end = end;
    this.#waking.abort();
    this.#waking = new AbortController();
    const patience = new AbortController();
    const isOut = systemClock.sleep(patienceMs, patience.signal).then(
      () => this.#tell(),
      () => undefined,
    );
    // What hangs is left behind.
    await Promise.race([this.#work, isOut]);
    patience.abort();
    this.#isGivenUp = true;
  }

  /** Until the record says how the run ended, or nobody waits for that any more. */
  async #keepUp(): Promise<void> {
    while (!this.#isGivenUp) {
      const end = this.#end;
      let pauseMs = aliveIntervalMs;
      try {
        await this.#visit(end);
        this.#failure = undefined;
        if (end) break;
      } catch (error) {
        const nowMs = systemClock.nowMs();
        const { sinceMs } = (this.#failure = {
          sinceMs: this.#failure?.sinceMs ?? nowMs,
          reason: messageOf(error),
        });
        if (nowMs - sinceMs < patienceMs) {
          pauseMs = retryMs;
        } else {
          this.#tell();
          if (end) break;
          pauseMs = awayRetryMs;
        }
      }
      // Aborted by the end, which may also have come meanwhile.
      if (this.#end === end)
        await systemClock.sleep(pauseMs, this.#waking.signal).catch(() => undefined);
    }
    try {
      await this.#repository?.[Symbol.asyncDispose]();
    } catch {
      // It has what it has.
    }
  }

  /** Has the record say what is known. What has been said already may be said again. */
  async #visit(end: End | undefined): Promise<void> {
    this.#repository ??= await openStore(this.#options, { isImpatient: true });
    const repository = this.#repository;
    this.#record ??= await this.#takeUp(repository);
    const { id, startedMs } = this.#record;
    if (!end) return void (await repository.change(id, { lastDataMs: systemClock.nowMs() }));
    await repository.change(id, {
      ...end.changes,
      ...(startedMs === undefined && end.startedMs !== undefined && { startedMs: end.startedMs }),
      lastDataMs: end.transition.atMs,
    });
    await repository.enter(id, end.transition, end.result);
  }

  async #takeUp(repository: RunRepository): Promise<RunRecord> {
    const { identity, store } = this.#run;
    await timeOutLostRuns(repository, systemClock);
    // Several generators may share a testid, and a run may be gone on with: one record for all of it.
    const known = await repository.runByTestid(identity.testid);
    const record = known ?? (await this.#create(repository));
    const { id, state, startedMs } = record;
    await repository.change(id, {
      stores: [store],
      ...(startedMs === undefined && { startedMs: this.#startMs }),
      ...(known && { hasLateData: isOver(state) }),
    });
    await repository.enter(id, { state: "running", atMs: this.#startMs });
    return record;
  }

  async #create(repository: RunRepository): Promise<RunRecord> {
    const { identity, tags, generator } = this.#run;
    const test = await repository.ensureTest(projectId, identity.test, this.#startMs);
    return await repository.create({
      testId: test.id,
      testid: identity.testid,
      source: "run",
      generator,
      startedBy: userName(),
      options: {},
      maxVus: undefined,
      expectedSeconds: undefined,
      thresholds: [],
      tags: Object.fromEntries(tags),
      note: "",
      createdMs: this.#startMs,
      tokenHash: "",
      idempotencyKey: "",
      serverId: "",
    });
  }

  /** Once: whoever reads it can do nothing more after the second time. */
  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const what = this.#record
      ? `"plimsoll runs" does not know ${this.#end ? "how the run ended" : "that the run goes on"}`
      : 'the run is not in "plimsoll runs"';
    const then = this.#end ? "" : "; load and samples go on, and it is tried again until the end";
    this.#onNotice(`${what}: ${this.#failure?.reason ?? "the database does not answer"}${then}`);
  }
}

/** A container's user may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
