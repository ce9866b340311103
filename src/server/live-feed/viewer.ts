/**
 * One who looks at a run: a response that stays open, and what may end it from our side.
 *
 * What a client does not read waits in the kernel and then here; whoever does not read for a while is cut off, and comes back
 * with the newest time that it has seen.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../../clock.ts";
import { heartbeat, opening } from "./event-text.ts";

export interface ViewerLimits {
  /** Bytes that may wait for a client when the next event comes. */
  readonly waitingLimitBytes: number;
  /** How long a client may read nothing while something waits. */
  readonly stallLimitMs: number;
  /** After so long without an event there is a comment. */
  readonly heartbeatMs: number;
}

export const defaultViewerLimits: ViewerLimits = {
  // Several minutes of a run with fifty endpoints.
  waitingLimitBytes: 2 ** 20,
  stallLimitMs: 30_000,
  heartbeatMs: 15_000,
};

export class Viewer {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #limits: ViewerLimits;
  #writtenMs: number;
  /** Since when something waits that the kernel does not take. */
  #stalledMs: number | undefined;

  /** Answers 200. @param onGone called once, when the connection is closed, whoever closed it */
  constructor(
    response: ServerResponse,
    clock: Clock,
    limits: ViewerLimits,
    onGone: (viewer: Viewer) => void,
  ) {
    this.#response = response;
    this.#clock = clock;
    this.#limits = limits;
    this.#writtenMs = clock.nowMs();
    response.on("drain", () => (this.#stalledMs = undefined));
    response.on("error", () => response.destroy());
    // Whoever left while the run was looked for has closed it before.
    if (response.closed) queueMicrotask(() => onGone(this));
    else response.once("close", () => onGone(this));
    // An event is small and waits for nothing.
    response.socket?.setNoDelay(true);
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      // nginx holds an answer back until it has a page of it.
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
      "X-Content-Type-Options": "nosniff",
    });
    this.send(opening);
  }

  /** Cuts off who has not read what was sent before. */
  send(event: Buffer): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > this.#limits.waitingLimitBytes) {
      response.destroy();
      return;
    }
    this.#writtenMs = this.#clock.nowMs();
    if (!response.write(event)) this.#stalledMs ??= this.#writtenMs;
  }

  /** Looks at the clock. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    const { stallLimitMs, heartbeatMs } = this.#limits;
    if (this.#stalledMs !== undefined && nowMs - this.#stalledMs > stallLimitMs) {
      this.#response.destroy();
    } else if (nowMs - this.#writtenMs >= heartbeatMs) {
      this.send(heartbeat);
    }
  }

  /** A browser comes back a second later, unless the last event told it not to. */
  end(): void {
    this.#response.end();
  }
}
