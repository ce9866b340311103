/**
 * All that the page of one run shows: its record, charts and tables, kept up to date while it goes on.
 *
 * In:  /runs/:id, /charts and /tables once; then the live stream. Out: `state`, and a call at most once a second when it has changed.
 * While the store is away, the record is shown all the same; while the connection is, what was there stays.
 */
import type { ChartSet, ChartSetName, RunTables } from "../../charts/chart-data.ts";
import type { RunView } from "../../server/api/run-view.ts";
import { ApiError, ask, askJson, withQuery } from "../api/client.ts";
import { whileVisible } from "../api/use-answer.ts";
import { isUnderWay } from "../format/state-words.ts";
import type { TimeRange } from "../chart/chart-group.ts";
import { type Change, DrawPace } from "./draw-pace.ts";
import { type LiveCharts, LiveRun, unsettledSince } from "./live-run.ts";
import { LiveStream } from "./live-stream.ts";

/** Exporters are scraped every 5 to 15 s: their charts are no faster. */
const serverChartsMs = 15_000;
/** After a run's end samples may still be on their way to the store; then the stream says that it has all. */
const afterEndMs = 60_000;
/** As many points as /charts answers with by itself: a part of the run has more detail where it is shorter. */
const chartPoints = 1_200;

export type Connection = "loading" | "live" | "lost" | "over";

export interface RunFeedState {
  readonly run: RunView | undefined;
  readonly charts: LiveCharts;
  /** So far, as the charts add up: newer than the tables. Null where there is none. */
  readonly requests: number | null;
  readonly serverCharts: LiveCharts;
  readonly tables: RunTables | undefined;
  /** Why the store could not be asked, in words; null: it could. */
  readonly storeProblem: string | null;
  readonly connection: Connection;
  /** Why there is nothing to show, or nothing any more. */
  readonly failure: ApiError | undefined;
  /** Unix milliseconds by the server's clock; the reader's may be minutes off. */
  readonly nowMs: () => number;
}

export class RunFeed {
  /** Below /api/v1. */
  readonly #path: string;
  readonly #pace: DrawPace;
  readonly #ends = new AbortController();
  readonly #charts = new LiveRun();
  readonly #serverCharts = new LiveRun();
  #run: RunView | undefined;
  #tables: RunTables | undefined;
  #storeProblem: string | null = null;
  #connection: Connection = "loading";
  #failure: ApiError | undefined;
  #clockAheadMs = 0;
  #stream: LiveStream | undefined;
  #stopServerCharts: (() => void) | undefined;
  #isAskingCharts = false;
  #areChartsOld = false;
  #detailAsked: AbortController | undefined;
  #state: RunFeedState | undefined;

  /**
   * Begins at once.
   *
   * @param id number or testid
   * @param onChange called when `state` is another
   */
  constructor(id: string, onChange: () => void) {
    this.#path = `/runs/${encodeURIComponent(id)}`;
    this.#pace = new DrawPace(onChange);
    void this.#start();
  }

  get state(): RunFeedState {
    return (this.#state ??= {
      run: this.#run,
      charts: this.#charts.charts,
      requests: this.#charts.total("requests", "done"),
      serverCharts: this.#serverCharts.charts,
      tables: this.#tables,
      storeProblem: this.#storeProblem,
      connection: this.#connection,
      failure: this.#failure,
      nowMs: () => Date.now() - this.#clockAheadMs,
    });
  }

  close(): void {
    this.#ends.abort();
    this.#unfollow();
    this.#pace.close();
  }

  /** Asks for everything again, after a failure. */
  retry(): void {
    this.#failure = undefined;
    this.#unfollow();
    void this.#start();
  }

  /** A part is looked at: it is asked for in more detail where there is more. @param range null: all is looked at */
  async showPart(range: TimeRange | null): Promise<void> {
    this.#detailAsked?.abort();
    const asked = new AbortController();
    this.#detailAsked = asked;
    if (!range) {
      this.#charts.setDetail(null);
      this.#changed();
      return;
    }
    const [from, to] = [Math.floor(range.from), Math.ceil(range.to)];
    const shown = this.#charts.charts.times.filter((time) => time >= from && time <= to).length;
    if (shown >= Math.min(chartPoints, to - from) * 0.9) return;
    const signal = AbortSignal.any([asked.signal, this.#ends.signal]);
    const detail = await this.#askStore<ChartSet>(
      chartsPath(this.#path, "run", { from, to }),
      signal,
    );
    if (!detail || signal.aborted) return;
    this.#charts.setDetail(detail);
    this.#changed();
  }

  async #start(): Promise<void> {
    try {
      await this.#askRun();
    } catch (error) {
      if (this.#ends.signal.aborted) return;
      this.#fail(error);
      return;
    }
    this.#changed();
    await Promise.all([this.#askCharts(), this.#askTables(), this.#askServerCharts()]);
    if (this.#ends.signal.aborted) return;
    if (this.#isToBeFollowed()) this.#follow();
    else this.#connection = "over";
    this.#changed();
  }

  #isToBeFollowed(): boolean {
    if (!this.#run) return false;
    const { state, ended } = this.#run;
    return (
      isUnderWay(state) || (ended !== null && this.state.nowMs() - Date.parse(ended) < afterEndMs)
    );
  }

  #follow(): void {
    this.#stream = new LiveStream({
      path: `${this.#path}/live`,
      after: () => this.#charts.newestSeconds,
      handlers: {
        run: (run) => {
          const wasAnother = run.state !== this.#run?.state;
          this.#run = run;
          this.#changed(wasAnother ? "urgent" : "rest");
        },
        charts: (set) => this.#takeLive(set),
        tables: (tables) => {
          this.#tables = tables;
          this.#changed();
        },
        store: (problem) => {
          this.#storeProblem = problem?.message ?? null;
          if (!problem) void this.#askCharts();
          this.#changed();
        },
        reset: () => {
          this.#charts.forgetLive();
          void this.#askCharts();
        },
        end: () => void this.#finish(),
      },
      onConnection: (state) => {
        this.#connection = state === "open" ? "live" : "lost";
        this.#changed("urgent");
      },
      findReason: async () => {
        try {
          await this.#askRun();
          return undefined;
        } catch (error) {
          return error instanceof ApiError ? error : undefined;
        }
      },
      onRefused: (error) => this.#fail(error),
    });
    this.#stopServerCharts = whileVisible(() => this.#askServerCharts(), serverChartsMs);
  }

  #unfollow(): void {
    this.#stream?.close();
    this.#stopServerCharts?.();
  }

  /** The store has all of it: what is shown from now on is what it says of the whole run. */
  async #finish(): Promise<void> {
    this.#unfollow();
    this.#connection = "over";
    this.#changed("urgent");
    await Promise.all([
      this.#askRun().catch(() => undefined), // the stream's last record is shown, then
      this.#askCharts(),
      this.#askTables(),
      this.#askServerCharts(),
    ]);
    this.#changed();
  }

  #takeLive(set: ChartSet): void {
    if (set.set === "server") {
      this.#serverCharts.addLive(set);
    } else {
      this.#charts.addLive(set);
      if (this.#charts.wantsHistory && !this.#isAskingCharts) void this.#askCharts();
    }
    this.#changed("charts");
  }

  /** @throws ApiError */
  async #askRun(): Promise<void> {
    const response = await ask(this.#path, { signal: this.#ends.signal });
    const date = Date.parse(response.headers.get("Date") ?? "");
    // The header has whole seconds: on average it is half a second old.
    if (!Number.isNaN(date)) this.#clockAheadMs = Date.now() - date - 500;
    // The type is the route's own: page and server are of one build.
    this.#run = (await response.json()) as RunView;
  }

  /** One at a time; whoever asks meanwhile is answered with what is asked after that. */
  async #askCharts(): Promise<void> {
    this.#areChartsOld = true;
    if (this.#isAskingCharts) return;
    this.#isAskingCharts = true;
    while (this.#areChartsOld) {
      this.#areChartsOld = false;
      await this.#readCharts();
    }
    this.#isAskingCharts = false;
  }

  async #readCharts(): Promise<void> {
    const isGoingOn = this.#connection !== "over" && this.#isToBeFollowed();
    const set = await this.#askStore<ChartSet>(chartsPath(this.#path, "run"));
    if (!set) return;
    const from = isGoingOn ? unsettledSince(set) : undefined;
    const seconds =
      from === undefined
        ? undefined
        : await this.#askStore<ChartSet>(chartsPath(this.#path, "run", { from, step: 1 }));
    if (isGoingOn) this.#charts.setHistory(set, seconds);
    else this.#charts.setWhole(set);
    this.#changed();
  }

  async #askTables(): Promise<void> {
    this.#tables = (await this.#askStore<RunTables>(`${this.#path}/tables`)) ?? this.#tables;
  }

  async #askServerCharts(): Promise<void> {
    const set = await this.#askStore<ChartSet>(chartsPath(this.#path, "server"));
    if (!set) return;
    this.#serverCharts.setHistory(set);
    this.#changed();
  }

  /** What needs the store; undefined where that is away, which is said on the page. */
  async #askStore<Answer>(path: string, signal = this.#ends.signal): Promise<Answer | undefined> {
    try {
      const answer = await askJson<Answer>(path, { signal });
      this.#storeProblem = null;
      return answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      // A server that is away, or a run that is gone, is found out by the stream.
      if (error instanceof ApiError && error.status >= 500) this.#storeProblem = error.message;
      this.#changed();
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.#failure = error;
    this.#connection = "over";
    this.#unfollow();
    this.#changed("urgent");
  }

  #changed(what: Change = "rest"): void {
    this.#state = undefined;
    if (!this.#ends.signal.aborted) this.#pace.changed(what);
  }
}

/** @param range Unix seconds; its step, by default as many as are drawn */
function chartsPath(
  path: string,
  set: ChartSetName,
  { from, to, step }: { readonly from?: number; readonly to?: number; readonly step?: number } = {},
): string {
  const time = (seconds: number): string => new Date(seconds * 1_000).toISOString();
  return withQuery(`${path}/charts`, {
    set,
    ...(from !== undefined && { from: time(from) }),
    ...(to !== undefined && { to: time(to) }),
    step,
  });
}
