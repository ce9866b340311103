/**
 * A run's log, as far as it was read: from its start or its end, and on from there while somebody looks at its bottom.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { LogPageView } from "../../server/api/log-view.ts";
import { type ApiError, askJson, withQuery } from "../api/client.ts";
import { whileVisible } from "../api/use-answer.ts";
import { type LogWindow, openWindow, withPage } from "./log-window.ts";

export interface LogQuestion {
  readonly id: number;
  /** Where reading begins. */
  readonly begin: "start" | "end";
  readonly search: string;
  /** Empty for all. */
  readonly level: string;
  /** Lines may still come. */
  readonly isGrowing: boolean;
}

export interface Log {
  /** Undefined before the first answer. */
  readonly window: LogWindow | undefined;
  readonly error: ApiError | undefined;
  /** Reads on behind the last line. Does nothing while it does so already. */
  readonly readOn: () => void;
  /** Reads from the beginning again. */
  readonly reload: () => void;
}

const pageLines = 500;
/** As often as k6 sends its log. Source: docs/k6-cloud.md, "Logs". */
const everyMs = 2_000;

/** @param isAtBottom whether the reader wants to see what comes */
export function useLog(question: LogQuestion, isAtBottom: () => boolean): Log {
  const { id, begin, search, level, isGrowing } = question;
  const [window, setWindow] = useState<LogWindow>();
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const current = useRef<LogWindow>(undefined);
  const isGrowingNow = useRef(isGrowing);
  isGrowingNow.current = isGrowing;
  const readOn = useRef<() => Promise<void>>(async () => undefined);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const askPage = async (query: { from?: number; tail?: true }): Promise<LogPageView> =>
      await askJson<LogPageView>(
        withQuery(`/runs/${id}/log-lines`, { ...query, search, level, limit: pageLines }),
        { signal },
      );
    const show = (next: LogWindow): void => {
      current.current = next;
      setWindow(next);
      setError(undefined);
    };
    let isReading = false;
    const read = async (): Promise<void> => {
      if (isReading) return;
      isReading = true;
      try {
        let last = current.current;
        if (!last) {
          const page = await askPage(begin === "start" ? { from: 0 } : { tail: true });
          const isStart = begin === "start" || (page.isEnd && page.lines.length < pageLines);
          last = openWindow(page, isStart);
          show(last);
        } else {
          last = withPage(last, await askPage({ from: last.next }));
          show(last);
        }
        // A search may look at much of the file before it finds a line.
        while (!last.isEnd && last.lines.length < pageLines) {
          last = withPage(last, await askPage({ from: last.next }));
          show(last);
        }
      } catch (failure) {
        if (!signal.aborted) setError(failure as ApiError); // `askJson` throws nothing else
      } finally {
        isReading = false;
      }
    };
    current.current = undefined;
    setWindow(undefined);
    readOn.current = read;
    void read();
    const stop = whileVisible(async () => {
      if (isGrowingNow.current && isAtBottom()) await read();
    }, everyMs);
    return () => {
      controller.abort();
      stop();
    };
  }, [id, begin, search, level, round]);

  // What k6 said last comes with the end of the run.
  useEffect(() => {
    if (!isGrowing && current.current) void readOn.current();
  }, [isGrowing]);

  return {
    window,
    error,
    readOn: useCallback(() => void readOn.current(), []),
    reload: useCallback(() => setRound((last) => last + 1), []),
  };
}
