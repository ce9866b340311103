/**
 * Who looks at a run live, as a browser's EventSource does: takes events, and comes back with the id of the last one.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ChartSet, ChartSetName } from "../../src/charts/chart-data.ts";
import type { LiveEvents } from "../../src/server/api/live-view.ts";

type LiveEventName = keyof LiveEvents;

export type LiveEvent = {
  readonly [Name in LiveEventName]: {
    readonly name: Name;
    readonly data: LiveEvents[Name];
    readonly id: number | undefined;
    /** Number of the connection that it came by, and when. */
    readonly connection: number;
    readonly atMs: number;
  };
}[LiveEventName];

export interface LiveStream extends AsyncDisposable {
  /** All that came so far. */
  readonly events: readonly LiveEvent[];
  /** What each connection was answered with: a status, or 0 where there was no answer. */
  readonly answers: readonly number[];
  /** When nothing more comes: after the event `end`, or an answer that is none of events. */
  readonly closed: Promise<void>;
}

/** Chart, series and time to value: what a page would show. */
export type ShownValues = ReadonlyMap<string, number>;

export function openLiveStream(url: string, token: string): LiveStream {
  const closing = new AbortController();
  const events: LiveEvent[] = [];
  const answers: number[] = [];
  let lastId: number | undefined;

  async function connect(): Promise<boolean> {
    const response = await fetch(url, {
      signal: closing.signal,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(lastId !== undefined && { "Last-Event-ID": String(lastId) }),
      },
    });
    answers.push(response.status);
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel();
      return true;
    }
    let text = "";
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = parseEvent(text.slice(0, end), answers.length);
        text = text.slice(end + 2);
        if (!event) continue;
        lastId = event.id ?? lastId;
        events.push(event);
        if (event.name === "end") return true;
      }
    }
    return false;
  }

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      const isOver = await connect().catch(() => {
        answers.push(0);
        return false;
      });
      if (isOver) return;
      await delay(200, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const closed = follow();
  return {
    events,
    answers,
    closed,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await closed;
    },
  };
}

/** Undefined for comments and what else is no event. */
function parseEvent(block: string, connection: number): LiveEvent | undefined {
  const fields = new Map(
    block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]),
  );
  const name = fields.get("event");
  if (name === undefined) return undefined;
  const id = fields.get("id");
  // What is sent under which name is what the tests of values hold it to.
  return {
    name,
    data: JSON.parse(fields.get("data") ?? "null"),
    id: id === undefined ? undefined : Number(id),
    connection,
    atMs: Date.now(),
  } as LiveEvent;
}

export function eventsOf<Name extends LiveEventName>(
  { events }: Pick<LiveStream, "events">,
  name: Name,
): readonly Extract<LiveEvent, { readonly name: Name }>[] {
  return events.filter(
    (event): event is Extract<LiveEvent, { readonly name: Name }> => event.name === name,
  );
}

/** What the charts of one set show after all these, each over those before. */
export function shownValues(sets: readonly ChartSet[], name: ChartSetName = "run"): ShownValues {
  const shown = new Map<string, number>();
  for (const { set, times, charts } of sets) {
    if (set !== name) continue;
    for (const { id, series } of charts) {
      for (const { name: of, values } of series) {
        for (const [at, value] of values.entries()) {
          const key = `${id} / ${of} / ${times[at]}`;
          if (value === null) shown.delete(key);
          else shown.set(key, value);
        }
      }
    }
  }
  return shown;
}
