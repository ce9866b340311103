/**
 * All streams of this server: one feed for each run that somebody looks at.
 *
 * In:  responses of who may look. Out: nothing, but what feeds and streams it has, for /metrics.
 */
import type { ServerResponse } from "node:http";
import type { RunRecord } from "../../runs/run-record.ts";
import { RunFeed, type RunFeedOptions } from "./run-feed.ts";
import { defaultViewerLimits, Viewer, type ViewerLimits } from "./viewer.ts";

export interface FeedLimits extends ViewerLimits {
  /** At a time: each is a connection, of which a server has 2 000, and generators come first. */
  readonly streams: number;
}

export const defaultFeedLimits: FeedLimits = { streams: 500, ...defaultViewerLimits };

/** How often clocks and tokens are looked at; a token's answer is remembered for as long. */
const tickMs = 5_000;

export interface LiveFeedsOptions extends RunFeedOptions {
  readonly limits: FeedLimits;
  /** Told whenever one of them has changed. */
  readonly onChange: (open: { readonly streams: number; readonly runs: number }) => void;
}

interface Stream {
  readonly viewer: Viewer;
  readonly mayLook: () => Promise<boolean>;
}

export class LiveFeeds {
  readonly #options: LiveFeedsOptions;
  readonly #feeds = new Map<number, RunFeed>();
  readonly #streams = new Set<Stream>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: LiveFeedsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Whether no more can be opened. */
  get isFull(): boolean {
    return this.#streams.size >= this.#options.limits.streams;
  }

  /**
   * Takes over a response, which then stays open until it is over.
   *
   * @param seen up to which time who asks has everything, Unix seconds
   * @param mayLook asked every few seconds; who may not any more is cut off
   */
  open(
    response: ServerResponse,
    run: RunRecord,
    {
      seen,
      mayLook,
    }: { readonly seen: number | undefined; readonly mayLook: () => Promise<boolean> },
  ): void {
    const known = this.#feeds.get(run.id);
    const feed = known && !known.isClosed ? known : this.#begin(run, seen);
    const { clock, limits } = this.#options;
    const viewer = new Viewer(response, clock, limits, () => {
      this.#streams.delete(stream);
      feed.remove(viewer);
      if (feed.viewers === 0 && this.#feeds.get(run.id) === feed) this.#feeds.delete(run.id);
      this.#say();
    });
    const stream = { viewer, mayLook };
    this.#streams.add(stream);
    feed.add(viewer, seen);
    this.#say();
  }

  /** Ends all. */
  close(): void {
    clearInterval(this.#timer);
    for (const feed of this.#feeds.values()) feed.close();
  }

  #begin(run: RunRecord, seen: number | undefined): RunFeed {
    const feed = new RunFeed(run, seen, this.#options);
    this.#feeds.set(run.id, feed);
    return feed;
  }

  #tick(): void {
    for (const { viewer, mayLook } of this.#streams) {
      viewer.tick();
      // Where nobody can say, as while the database is away, the stream goes on.
      mayLook().then(
        (may) => (may ? undefined : viewer.end()),
        () => undefined,
      );
    }
  }

  #say(): void {
    this.#options.onChange({ streams: this.#streams.size, runs: this.#feeds.size });
  }
}
