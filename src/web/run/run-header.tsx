/**
 * What a run is, how it stands, and what can be done with it.
 */
import type { JSX } from "preact";
import { zoneName } from "../format/time.ts";
import { PageTitle } from "../parts/page-title.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { Badge, ResultBadge, StateBadge } from "../parts/state-badge.tsx";
import { Time } from "../parts/time.tsx";
import { RunActions } from "../record/run-actions.tsx";
import type { SectionProps } from "../record/section.tsx";
import { grafanaLinks } from "./grafana-links.ts";
import { RunProgress } from "./run-progress.tsx";
import { reasonOf } from "./state-advice.ts";
import { StopRun } from "./stop-run.tsx";

interface RunHeaderProps extends SectionProps {
  readonly nowMs: () => number;
  /** In words, of a run that is not there any more, or not for this reader. */
  readonly goneWords: string | undefined;
}

export function RunHeader({ run, session, nowMs, goneWords }: RunHeaderProps): JSX.Element {
  const reason = reasonOf(run);
  const links = grafanaLinks(run, session.grafanaUrl);
  const since = run.started ?? run.created;
  return (
    <header class="run-header">
      <PageTitle title={run.test}>
        <PlainText text={run.test} limit={200} />
      </PageTitle>
      <div class="run-state">
        <span role="status">
          {goneWords === undefined ? (
            <>
              <StateBadge state={run.state} /> <ResultBadge result={run.result} />
            </>
          ) : (
            <Badge tone="bad" words={goneWords} />
          )}
        </span>
        {reason !== null && (
          <span class="quiet">
            <PlainText text={reason} />
          </span>
        )}
        {goneWords === undefined && <RunProgress run={run} nowMs={nowMs} />}
      </div>
      <p class="run-facts">
        Run {run.id}, testid{" "}
        <span class="code">
          <PlainText text={run.testid} limit={120} />
        </span>
        , by <PlainText text={run.startedBy} limit={80} /> with{" "}
        <PlainText text={run.generator} limit={80} />, since <Time at={since} /> (
        {zoneName(Date.parse(since))})
      </p>
      <div class="run-actions">
        {goneWords === undefined && (
          <>
            <StopRun run={run} session={session} />
            <RunActions run={run} session={session} />
          </>
        )}
        {links.map(({ name, url }) => (
          <a key={name} class="button button-plain" href={url} target="_blank" rel="noreferrer">
            {name} in Grafana
          </a>
        ))}
      </div>
    </header>
  );
}
