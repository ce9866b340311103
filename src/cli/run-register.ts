/**
 * Keeps a record of a run of `plimsoll run` where the server keeps its own: in the data directory, or in the database.
 *
 * It begins when the load has begun, and nothing waits for it: a store that cannot be opened is told, and ends nothing.
 */
import { userInfo } from "node:os";
import process from "node:process";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { messageOf } from "../errors.ts";
import type { IdentifiedRun } from "../output/identify.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import { isOver, resultOf } from "../runs/transitions.ts";
import { openStore } from "./open-store.ts";
import { aliveIntervalMs, timeOutLostRuns } from "./lost-runs.ts";
import type { RunReport } from "./run-report.ts";

export interface RegisteredRun extends IdentifiedRun {
  /** Name and version of what makes the load. */
  readonly generator: string;
  /** Where its samples go, without credentials. */
  readonly store: string;
}

/** Every run of this machine is of the first project. */
const projectId = 1;

export class RunRegister implements AsyncDisposable {
  readonly #run: RegisteredRun;
  readonly #options: Pick<Options, "dataDir" | "databaseUrl">;
  readonly #onNotice: (text: string) => void;
  readonly #opened: Promise<{ repository: RunRepository; id: number } | undefined>;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(
    run: RegisteredRun,
    options: Pick<Options, "dataDir" | "databaseUrl">,
    onNotice: (text: string) => void,
  ) {
    this.#run = run;
    this.#options = options;
    this.#onNotice = onNotice;
    this.#opened = this.#open();
  }

  /** The run is over, and this is its report. */
  async end({ state, thresholds, summary }: RunReport): Promise<void> {
    this.#isEnded = true;
    clearInterval(this.#timer);
    await this.#change(async (repository, id) => {
      const verdicts = thresholds.map(({ metric, threshold, ok }) => ({
        metric,
        expression: threshold,
        // What k6 reports of a threshold is its verdict.
        abortOnFail: false,
        delayAbortEvalMs: 0,
        value: undefined,
        ok: undefined,
        generatorOk: ok,
      }));
      const rows = Object.entries(summary).flatMap(([metric, stats]) =>
        Object.entries(stats).map(([stat, value]) => ({ metric, stat, value })),
      );
      const nowMs = systemClock.nowMs();
      await repository.change(id, { thresholds: verdicts, summary: rows, lastDataMs: nowMs });
      await repository.enter(id, { state, atMs: nowMs }, resultOf(state, verdicts));
    });
  }

  /** A run that nobody has ended is broken off. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const opened = await this.#opened;
    if (!this.#isEnded) {
      await this.#change((repository, id) =>
        repository.enter(
          id,
          { state: "aborted_by_system", atMs: systemClock.nowMs(), reason: "plimsoll broke off" },
          "error",
        ),
      );
    }
    await opened?.repository[Symbol.asyncDispose]();
  }

  async #open(): Promise<{ repository: RunRepository; id: number } | undefined> {
    const { identity, store } = this.#run;
    const startMs = systemClock.nowMs();
    try {
      const repository = await openStore(this.#options);
      try {
        await timeOutLostRuns(repository, systemClock);
        // Several generators may share a testid, and a run may be gone on with: one record for all of it.
        const known = await repository.runByTestid(identity.testid);
        const { id } = known ?? (await this.#create(repository, startMs));
        await repository.change(id, {
          stores: [store],
          ...(known ? { hasLateData: isOver(known.state) } : { startedMs: startMs }),
        });
        await repository.enter(id, { state: "running", atMs: startMs });
        if (!this.#isEnded) {
          this.#timer = setInterval(() => void this.#stayAlive(), aliveIntervalMs);
          this.#timer.unref();
        }
        return { repository, id };
      } catch (error) {
        await repository[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      this.#tell(error);
      return undefined;
    }
  }

  async #create(repository: RunRepository, startMs: number): Promise<RunRecord> {
    const { identity, tags, generator } = this.#run;
    const test = await repository.ensureTest(projectId, identity.test, startMs);
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
      createdMs: startMs,
      tokenHash: "",
      idempotencyKey: "",
      serverId: "",
    });
  }

  async #stayAlive(): Promise<void> {
    await this.#change((repository, id) =>
      repository.change(id, { lastDataMs: systemClock.nowMs() }),
    );
  }

  async #change(
    change: (repository: RunRepository, id: number) => Promise<unknown>,
  ): Promise<void> {
    const opened = await this.#opened;
    if (!opened) return;
    try {
      await change(opened.repository, opened.id);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    this.#onNotice(`the run is not in "plimsoll runs": ${messageOf(error)}`);
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
