/**
 * The runs that go on, on top of the list: looked at every five seconds while somebody sees the page.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunListItem, RunListView } from "../../server/api/run-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { formatCount } from "../format/number.ts";
import { formatElapsed } from "../format/time.ts";
import { hrefOf } from "../navigation/place.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { everything, questionOf } from "./list-query.ts";

const everyMs = 5_000;
const maxShown = 10;
const question = questionOf({ ...everything, state: "under_way" }, maxShown, 0);

/** @param onChange called when a run began, ended or went on to another state */
export function RunningNow({ onChange }: { readonly onChange: () => void }): JSX.Element {
  const { answer, error } = useAnswer<RunListView>(question, { everyMs });
  const states = answer && JSON.stringify(answer.runs.map(({ id, state }) => [id, state]));
  const last = useRef(states);
  useEffect(() => {
    if (last.current !== undefined && states !== last.current) onChange();
    last.current = states;
  }, [states]);
  return (
    <section class="running-now" aria-labelledby="running-now">
      <h2 id="running-now">Running now</h2>
      {error ? (
        <p class="quiet">What is running could not be read: {error.message}. It is tried again.</p>
      ) : answer?.runs.length === 0 ? (
        <p class="quiet">Nothing.</p>
      ) : (
        <ul>
          {answer?.runs.map((run) => (
            <RunningRun key={run.id} run={run} />
          ))}
        </ul>
      )}
      {answer && answer.total > maxShown && (
        <p>
          <a href={hrefOf("/runs?state=under_way")}>All {formatCount(answer.total)}</a>
        </p>
      )}
    </section>
  );
}

function RunningRun({ run }: { readonly run: RunListItem }): JSX.Element {
  return (
    <li>
      <StateBadge state={run.state} />
      <a href={hrefOf(`/runs/${run.id}`)}>
        <PlainText text={run.testid} limit={80} isCutForGood />
      </a>
      <span class="quiet">
        <PlainText text={run.test} limit={80} isCutForGood />
      </span>
      <Elapsed since={run.started ?? run.created} />
    </li>
  );
}

/** Not read out: it changes each second. */
function Elapsed({ since }: { readonly since: string }): JSX.Element {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span class="elapsed">{formatElapsed((nowMs - Date.parse(since)) / 1_000)}</span>;
}
