/**
 * What a run's state means, and what to do about it, in words: what is waited for before it starts, silence while it goes on,
 * each kind of end. Pure.
 */
import type { RunView } from "../../server/api/run-view.ts";
import { formatDuration } from "../format/time.ts";

export interface Advice {
  readonly tone: "info" | "warn" | "bad";
  /** A sentence. */
  readonly title: string;
  readonly text: string;
}

/** The record says every ten seconds only when data came: less than twice that is no silence. */
const silentSeconds = 20;

/** @returns null where there is nothing to say */
export function adviceOf(
  run: Pick<RunView, "state" | "result" | "lastData">,
  nowMs: number,
): Advice | null {
  switch (run.state) {
    case "created":
      return {
        tone: "info",
        title: "The run is made, and has not begun.",
        text: "The page goes on by itself when the load generator sends its first samples. If it does not come, look at what it prints: it needs this server’s URL and a token.",
      };
    case "initializing":
      return {
        tone: "info",
        title: "The load generator is getting ready.",
        text: "It reads the script and starts its VUs; setup() runs before the first samples. The page goes on by itself.",
      };
    case "running":
      return silence(run.lastData, nowMs);
    case "finished":
      return run.result === "failed"
        ? {
            tone: "bad",
            title: "The test ran its course, and thresholds failed.",
            text: "Thresholds below says which; the charts show when they were crossed, and Endpoints where.",
          }
        : null;
    case "aborted_by_user":
      return {
        tone: "warn",
        title: "The test was stopped before its end.",
        text: "What was measured until then is all here. Totals are those of a shorter run: do not compare them with a whole one’s.",
      };
    case "aborted_by_threshold":
      return {
        tone: "bad",
        title: "A threshold stopped the test.",
        text: "It has abortOnFail, and was crossed. Thresholds below says which one and by how much; the charts show what led to it.",
      };
    case "aborted_by_script_error":
      return {
        tone: "bad",
        title: "The script failed.",
        text: "Log says with which error and where. Put it right, and run the test again; what was measured until then is kept.",
      };
    case "aborted_by_system":
      return {
        tone: "bad",
        title: "The load generator gave up.",
        text: "Something outside the script ended it: its machine, its memory, or its way to this server. Log and what it printed say more.",
      };
    case "aborted_by_limit":
      return {
        tone: "bad",
        title: "A limit ended the test.",
        text: "History says which one. Make the test smaller, or have who runs this server raise the limit.",
      };
    case "timed_out":
      return {
        tone: "bad",
        title: "The load generator fell silent, and did not come back.",
        text: "Everything that it sent is kept. See whether it still runs and reaches this server: samples that it sends later are stored, and the run stays timed out.",
      };
  }
}

function silence(lastData: string | null, nowMs: number): Advice | null {
  if (lastData === null) return null;
  const seconds = Math.round((nowMs - Date.parse(lastData)) / 1_000);
  if (seconds < silentSeconds) return null;
  return {
    tone: "warn",
    title: `No data for ${formatWait(seconds)}.`,
    text: "Without any for longer the run is timed out, after two minutes unless “plimsoll serve --run-timeout” says otherwise. See whether the load generator still runs and reaches this server; it goes on where it was when it comes back.",
  };
}

/** `34 s`: whole seconds. */
function formatWait(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds);
}

/** Why it is in its state, as the generator, a person or the server said. */
export function reasonOf({ history }: Pick<RunView, "history">): string | null {
  const last = history.at(-1);
  if (!last) return null;
  const words = [last.reason, last.by === null ? null : `by ${last.by}`].filter(
    (each) => each !== null,
  );
  return words.length === 0 ? null : words.join(", ");
}
