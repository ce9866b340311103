/**
 * How long a run has taken, of how long it may take.
 */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RunView } from "../../server/api/run-view.ts";
import { formatDuration, formatElapsed } from "../format/time.ts";
import { isUnderWay } from "../format/state-words.ts";

interface RunProgressProps {
  readonly run: RunView;
  readonly nowMs: () => number;
}

export function RunProgress({ run, nowMs }: RunProgressProps): JSX.Element | null {
  const { started, ended, lastData, state, expectedSeconds } = run;
  const isOpen = isUnderWay(state);
  const [, setTick] = useState(0);
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => setTick((tick) => tick + 1), 1_000);
    return () => clearInterval(timer);
  }, [isOpen]);
  if (started === null) return null;
  const until = ended ?? (isOpen ? null : lastData);
  const untilMs = until === null ? nowMs() : Date.parse(until);
  const seconds = Math.max(0, (untilMs - Date.parse(started)) / 1_000);
  return (
    <p class="run-progress">
      <data id="figure-elapsed" value={seconds}>
        {isOpen ? formatElapsed(seconds) : formatDuration(seconds)}
      </data>
      {/* k6 counts gracefulStop in: a run that ended well looks cut short beside it. */}
      {isOpen && expectedSeconds !== null && expectedSeconds > 0 && (
        <>
          {" of at most "}
          {formatElapsed(expectedSeconds)}
          <progress
            value={Math.min(seconds, expectedSeconds)}
            max={expectedSeconds}
            aria-label="Elapsed of expected"
          />
        </>
      )}
    </p>
  );
}
