/**
 * What goes on in one run, for all who look at it here: asks once, and hands on what has changed.
 *
 * In:  the record, which another server may write; the store's answers. Out: events (`api/live-view.ts`), each made once.
 *
 * It begins with the first who looks and ends with the last, or when the run is over and the store has all of it.
 */
import type { ChartSetName, StoreProblem } from "../../charts/chart-data.ts";
import type { RunCharts } from "../../charts/run-charts.ts";
import type { Clock } from "../../clock.ts";
import { StoreUnreachable } from "../../query/store.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import { isOver } from "../../runs/transitions.ts";
import { toRunView } from "../api/run-view.ts";
import { toEventText } from "./event-text.ts";
import { LookPace } from "./look-pace.ts";
import { NewSteps } from "./new-steps.ts";
import { PastEvents } from "./past-events.ts";
import type { Viewer } from "./viewer.ts";

/** How late a sample may be and still be seen without a reload. A generator's push is tried for two seconds. */
const overlapSeconds = 10;
/** How far back one question goes. Whoever has missed more asks for the charts. */
const furthestSeconds = 300;
const recordMs = 1_000;
/** Of tables and of the system under test, which is scraped every few seconds; at least so many times what it took. */
const besideMs = 5_000;
const besideRest = 5;
/** For so long after its end nothing may come, until the run is taken to be whole. A server writes the end of late samples then. */
const quietMs = 5_000;
/** After a fault of ours. */
const faultMs = 5_000;

export interface RunFeedOptions {
  readonly repository: Pick<RunRepository, "run">;
  readonly charts: RunCharts;
  /** Whether samples of the run are here that the store does not have yet. */
  readonly isPending: (runId: number) => boolean;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

export class RunFeed {
  readonly #options: RunFeedOptions;
  #run: RunRecord;
  #runText: Buffer;
  #problem: StoreProblem | null = null;
  readonly #past: PastEvents;
  readonly #steps: Readonly<Record<ChartSetName, NewSteps>> = {
    run: new NewSteps(),
    server: new NewSteps(),
  };
  #tables: Buffer | undefined;
  /** Up to where the store was seen to have values, Unix seconds. */
  #newest: number;
  /** When something new came last. */
  #newsMs: number;
  readonly #viewers = new Set<Viewer>();
  readonly #closing = new AbortController();

  /** @param seen what its first viewer has seen already, Unix seconds */
  constructor(run: RunRecord, seen: number | undefined, options: RunFeedOptions) {
    this.#options = options;
    this.#run = run;
    this.#runText = toEventText("run", toRunView(run));
    const untilMs = this.#untilMs;
    const until = Math.floor(untilMs / 1_000);
    // Nobody has seen what is to come, whatever somebody says: others look at the same feed.
    this.#newest = Math.max(
      Math.min(seen ?? until, until),
      until - furthestSeconds + overlapSeconds,
    );
    // What is asked for first begins there.
    this.#past = new PastEvents(this.#newest - overlapSeconds);
    // Of a run that ended long ago there is no news.
    this.#newsMs = run.endedMs ?? untilMs;
    void this.#repeat(() => this.#readRecord());
    void this.#repeat(this.#chartsLook());
    void this.#repeat(() => this.#readBeside());
  }

  /** Takes nobody any more. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** @param seen up to which time it has everything, Unix seconds; undefined where it wants only what comes */
  add(viewer: Viewer, seen: number | undefined): void {
    this.#viewers.add(viewer);
    viewer.send(this.#runText);
    if (this.#problem) viewer.send(toEventText("store", this.#problem));
    if (this.#tables) viewer.send(this.#tables);
    const missed = seen === undefined ? [] : this.#past.after(seen);
    for (const text of missed ?? [toEventText("reset", {})]) viewer.send(text);
  }

  /** Asks nothing more when the last one has left. */
  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#closing.abort();
  }

  /** Ends all streams. Whoever looks comes back, here or elsewhere. */
  close(): void {
    this.#closing.abort();
    for (const viewer of this.#viewers) viewer.end();
  }

  /** The newest second that there can be a sample of. */
  get #untilMs(): number {
    const nowMs = this.#options.clock.nowMs();
    const { endedMs } = this.#run;
    return endedMs === undefined ? nowMs : Math.min(nowMs, endedMs + furthestSeconds * 1_000);
  }

  #send(text: Buffer): void {
    for (const viewer of this.#viewers) viewer.send(text);
  }

  async #readRecord(): Promise<number> {
    const run = await this.#options.repository.run(this.#run.id);
    // Whoever comes back is told that there is no such run.
    if (!run) {
      this.close();
      return recordMs;
    }
    this.#run = run;
    const text = toEventText("run", toRunView(run));
    if (text.equals(this.#runText)) return recordMs;
    this.#runText = text;
    this.#newsMs = this.#options.clock.nowMs();
    this.#send(text);
    return recordMs;
  }

  #chartsLook(): () => Promise<number> {
    const pace = new LookPace();
    const { clock } = this.#options;
    return async () => {
      const beganMs = clock.nowMs();
      const hasNew = await this.#readSteps("run", overlapSeconds);
      const nowMs = clock.nowMs();
      if (hasNew) this.#newsMs = nowMs;
      else if (this.#isWhole(nowMs)) await this.#end();
      const tookMs = nowMs - beganMs;
      return pace.next({ hasNew: hasNew === true, tookMs }) - tookMs;
    };
  }

  async #readBeside(): Promise<number> {
    const { clock, charts } = this.#options;
    const beganMs = clock.nowMs();
    await this.#readSteps("server", 6 * overlapSeconds);
    const tables = await orUnreachable(charts.tables(this.#run, this.#closing.signal));
    if (!(tables instanceof StoreUnreachable)) {
      const text = toEventText("tables", tables);
      if (!this.#tables?.equals(text)) this.#send(text);
      this.#tables = text;
    }
    return Math.max(besideMs, besideRest * (clock.nowMs() - beganMs));
  }

  /** @returns whether there was anything new; undefined where the store did not say */
  async #readSteps(name: ChartSetName, overlap: number): Promise<boolean | undefined> {
    const untilMs = this.#untilMs;
    const earliest = untilMs / 1_000 - furthestSeconds;
    const from = Math.max(this.#newest - overlap, earliest);
    const range = { fromMs: from * 1_000, toMs: untilMs, stepSeconds: 1 };
    const { charts } = this.#options;
    const set = await orUnreachable(charts.charts(this.#run, name, range, this.#closing.signal));
    const isAway = set instanceof StoreUnreachable;
    // Of this question alone: one that takes longer may fail by itself.
    if (name === "run") this.#say(isAway ? { message: set.message } : null);
    if (isAway) return undefined;
    const steps = this.#steps[name].take(set);
    if (!steps) return false;
    if (name === "run") {
      // Between what was there and what is asked for there may be more, that was delivered since.
      if (earliest > this.#newest) this.#reset(earliest);
      this.#newest = Math.max(this.#newest, steps.times.at(-1) ?? 0);
    }
    // What is beside the run is no measure of how far it is: only its own times are an id.
    const text = toEventText("charts", steps, name === "run" ? this.#newest : undefined);
    this.#past.add({ newest: this.#newest, text });
    this.#send(text);
    return true;
  }

  /** @param since from where on there will be everything, Unix seconds */
  #reset(since: number): void {
    this.#past.restart(since);
    this.#send(toEventText("reset", {}));
  }

  #say(problem: StoreProblem | null): void {
    if (this.#problem?.message === problem?.message) return;
    this.#problem = problem;
    this.#send(toEventText("store", problem));
  }

  #isWhole(nowMs: number): boolean {
    const { id, state } = this.#run;
    const isQuiet = nowMs - this.#newsMs >= quietMs;
    return isOver(state) && isQuiet && this.#problem === null && !this.#options.isPending(id);
  }

  async #end(): Promise<void> {
    await this.#readRecord();
    await this.#readBeside();
    if (this.#problem) return;
    this.#send(toEventText("end", {}));
    this.close();
  }

  /** @param task does it once, and says after how many milliseconds it is to be done again */
  async #repeat(task: () => Promise<number>): Promise<void> {
    const { clock, onFault } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const waitMs = await task().catch((error: unknown) => {
        if (!signal.aborted) onFault(error);
        return faultMs;
      });
      // Rejects when the feed is closed, which the loop sees.
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

async function orUnreachable<Answer>(asked: Promise<Answer>): Promise<Answer | StoreUnreachable> {
  return await asked.catch((error: unknown) => {
    if (error instanceof StoreUnreachable) return error;
    throw error;
  });
}
