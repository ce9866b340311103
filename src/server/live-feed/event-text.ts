/**
 * Events as a stream has them: made once, and written to all who look.
 *
 * Source: WHATWG HTML, 9.2.5 "Parsing an event stream". JSON has no line end in it, so that one `data` line holds it.
 */
import type { LiveEvents } from "../api/live-view.ts";

/** What a browser waits before it comes back, in milliseconds. */
const retryMs = 1_000;

/** First of all: nothing that a program sees. */
export const opening: Buffer = Buffer.from(`retry: ${retryMs}\n\n`);

/** A comment: keeps proxies from ending what seems idle. */
export const heartbeat: Buffer = Buffer.from(": still here\n\n");

/** @param id what a browser sends as `Last-Event-ID` when it comes back; it keeps the last one that there was */
export function toEventText<Name extends keyof LiveEvents>(
  name: Name,
  data: LiveEvents[Name],
  id?: number,
): Buffer {
  const head = id === undefined ? "" : `id: ${id}\n`;
  return Buffer.from(`${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
