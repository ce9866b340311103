/**
 * The server's live events of one run, for as long as it takes: the browser's EventSource, started again where it gives up.
 *
 * A connection that is cut is taken up again by the browser itself, which tells the server the last id it saw. An answer that is
 * no stream (the server is starting, a proxy says 502, the session is over) ends an EventSource for good: then the reason is
 * asked for, and unless it is final, another is opened.
 */
import type { LiveEvents } from "../../server/api/live-view.ts";
import { type ApiError, apiUrl, withQuery } from "../api/client.ts";

export type LiveEventName = keyof LiveEvents;
type LiveHandlers = {
  readonly [Name in LiveEventName]: (data: LiveEvents[Name]) => void;
};

const eventNames: readonly LiveEventName[] = ["run", "charts", "tables", "store", "reset", "end"];
/** Between attempts of our own, at least and at most; doubled each time. */
const retryMs = { least: 1_000, most: 15_000 };

export interface LiveStreamOptions {
  /** Below /api/v1. */
  readonly path: string;
  /** Unix seconds of the newest values that are known; undefined: none. */
  readonly after: () => number | undefined;
  readonly handlers: LiveHandlers;
  readonly onConnection: (state: "open" | "lost") => void;
  /** Asks the server for something small. Resolves with why it refuses; undefined: it does not. */
  readonly findReason: () => Promise<ApiError | undefined>;
  /** It is not tried again: the run is gone, or not to be seen. */
  readonly onRefused: (error: ApiError) => void;
}

export class LiveStream {
  readonly #options: LiveStreamOptions;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delayMs = retryMs.least;
  #isClosed = false;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #open(): void {
    const { path, after, handlers, onConnection } = this.#options;
    const source = new EventSource(apiUrl(withQuery(path, { after: after() })));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#delayMs = retryMs.least;
      onConnection("open");
    });
    source.addEventListener("error", () => {
      if (this.#isClosed) return;
      onConnection("lost");
      if (source.readyState === EventSource.CLOSED) void this.#retry();
    });
    for (const name of eventNames) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        // The type is the server's own: page and server are of one build.
        const handle = handlers[name] as (data: unknown) => void;
        handle(JSON.parse(data));
      });
    }
  }

  async #retry(): Promise<void> {
    const reason = await this.#options.findReason();
    if (this.#isClosed) return;
    const isFinal = reason !== undefined && [401, 403, 404].includes(reason.status);
    if (isFinal) {
      this.#options.onRefused(reason);
      return;
    }
    this.#timer = setTimeout(() => this.#open(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, retryMs.most);
  }
}
