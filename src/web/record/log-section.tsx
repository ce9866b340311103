/**
 * What the generator logged: it goes on while the run does, keeps to its end unless one scrolls up, and can be searched.
 */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { apiUrl } from "../api/client.ts";
import { useSettled } from "../api/use-answer.ts";
import { formatCount } from "../format/number.ts";
import { isUnderWay } from "../format/state-words.ts";
import { Button } from "../parts/button.tsx";
import { Failure } from "../parts/failure.tsx";
import { hasRole } from "../session/session.tsx";
import { LogLine } from "./log-line.tsx";
import type { LogWindow } from "./log-window.ts";
import { RunSection, type SectionProps } from "./section.tsx";
import { useLog } from "./use-log.ts";

/** As k6 names them. Source: logrus. */
const levels = ["error", "warning", "info", "debug"];

export function LogSection({ run, session }: SectionProps): JSX.Element {
  const isGrowing = isUnderWay(run.state);
  return (
    <RunSection id="log" title="Log">
      {run.logLines > 0 || isGrowing ? (
        <Log id={run.id} isGrowing={isGrowing} mayKeep={hasRole(session, "read")} />
      ) : (
        <p class="quiet">
          The generator logged nothing. What a script says with <code>console.log</code> is shown
          here while it runs.
        </p>
      )}
    </RunSection>
  );
}

interface LogProps {
  readonly id: number;
  readonly isGrowing: boolean;
  readonly mayKeep: boolean;
}

function Log({ id, isGrowing, mayKeep }: LogProps): JSX.Element {
  const [typed, setTyped] = useState("");
  const [level, setLevel] = useState("");
  const [begin, setBegin] = useState<"start" | "end">("end");
  const search = useSettled(typed.trim(), 250);
  const box = useRef<HTMLDivElement>(null);
  const isAtBottom = (): boolean => {
    const { current: element } = box;
    if (!element) return true;
    return element.scrollHeight - element.scrollTop - element.clientHeight < 24;
  };
  const { window, error, readOn, reload } = useLog(
    { id, begin, search, level, isGrowing },
    isAtBottom,
  );
  const follow = useFollowing(box, window, begin);

  return (
    <>
      <div class="filters" role="search" aria-label="Log">
        <label>
          Search the log{" "}
          <input
            type="search"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <label>
          Level{" "}
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
            <option value="">all</option>
            {levels.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Button aria-pressed={begin === "start"} onClick={() => setBegin("start")}>
          From the start
        </Button>
        <Button
          aria-pressed={begin === "end"}
          onClick={() => (begin === "end" ? follow() : setBegin("end"))}
        >
          {isGrowing ? "Follow the end" : "From the end"}
        </Button>
        {mayKeep && (
          <a href={apiUrl(`/runs/${id}/logs`)} download={`run-${id}.log.jsonl`}>
            Download the log
          </a>
        )}
      </div>
      {error && <Failure what="The log could not be read" error={error} onRetry={reload} />}
      <div
        class="log"
        ref={box}
        role="region"
        aria-label="Log lines"
        aria-busy={window === undefined && !error}
        // What scrolls must be reached with the keyboard.
        tabIndex={0}
        onScroll={() => {
          if (isAtBottom()) readOn();
        }}
      >
        {window && !window.isStart && (
          <p class="quiet">
            Earlier lines are not shown.{" "}
            <button
              type="button"
              class="link-button"
              onClick={() => (begin === "start" ? reload() : setBegin("start"))}
            >
              From the start
            </button>
          </p>
        )}
        {window?.lines.map((line) => (
          <LogLine key={line.number} line={line} />
        ))}
        {window && <p class="quiet log-end">{endWords(window, { isGrowing, search, level })}</p>}
      </div>
    </>
  );
}

/** Keeps to the end what was at the end. @returns what goes there */
function useFollowing(
  box: { readonly current: HTMLDivElement | null },
  window: LogWindow | undefined,
  begin: "start" | "end",
): () => void {
  const last = useRef({ window, height: 0, begin });
  useLayoutEffect(() => {
    const { current: element } = box;
    if (!element) return;
    const { window: before, height } = last.current;
    const wasAtBottom = height - element.scrollTop - element.clientHeight < 24;
    // Who reads from the start is not carried along by what is behind.
    const follows = before === undefined ? begin === "end" : before.isEnd && wasAtBottom;
    if (window !== undefined && window !== before && follows) {
      element.scrollTop = element.scrollHeight;
    }
    last.current = { window, height: element.scrollHeight, begin };
  });
  return () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
}

interface EndOptions {
  readonly isGrowing: boolean;
  readonly search: string;
  readonly level: string;
}

function endWords(window: LogWindow, { isGrowing, search, level }: EndOptions): string {
  if (!window.isEnd) return "Scroll on for more lines.";
  const isFiltered = search !== "" || level !== "";
  if (window.lines.length === 0 && isFiltered) return "No line matches. Search for less.";
  if (isGrowing) {
    return window.lines.length === 0
      ? "Nothing was logged so far: lines appear here as they come."
      : "Lines appear here as they come.";
  }
  return window.isStart
    ? `End of the log: ${formatCount(window.lines.length)} ${isFiltered ? "lines match" : "lines"}.`
    : "End of the log.";
}
