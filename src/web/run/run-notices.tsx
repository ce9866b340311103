/**
 * What is not as it should be: what the state means, a lost connection, a store that is away.
 */
import type { JSX } from "preact";
import { Failure } from "../parts/failure.tsx";
import { Button } from "../parts/button.tsx";
import { Notice } from "../parts/notice.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { isUnderWay } from "../format/state-words.ts";
import { adviceOf } from "./state-advice.ts";
import type { FollowedRun } from "./use-run-feed.ts";

export function RunNotices({ followed }: { readonly followed: FollowedRun }): JSX.Element {
  const { run, charts, connection, storeProblem, failure, nowMs, retry } = followed;
  const newest = charts.times.at(-1);
  const advice =
    run && connection !== "lost"
      ? adviceOf(run, {
          nowMs: nowMs(),
          newestMs: newest === undefined ? undefined : newest * 1_000,
        })
      : null;
  return (
    <>
      {failure && <Failure what={failureWords(failure.status)} error={failure} onRetry={retry} />}
      {connection === "lost" && (
        <Notice tone="warn" title="The connection to the server is lost.">
          <p>
            What is shown is from before. The page tries again by itself, and catches up; the run
            itself does not depend on it.
          </p>
        </Notice>
      )}
      {storeProblem !== null && (
        <Notice
          tone="warn"
          title="Charts and tables are missing or old: the store could not be asked."
        >
          <p>
            What the run’s record has is shown. The server says: <PlainText text={storeProblem} />.
          </p>
          {run && !isUnderWay(run.state) && <Button onClick={retry}>Try again</Button>}
        </Notice>
      )}
      {advice && (
        <Notice tone={advice.tone} title={advice.title}>
          <p>{advice.text}</p>
        </Notice>
      )}
    </>
  );
}

function failureWords(status: number): string {
  if (status === 404) return "The run has been deleted: what is shown is all that is left of it.";
  if (status === 403) return "You may not see this run any more.";
  return "The page cannot go on";
}
