/**
 * One run.
 */
import type { JSX } from "preact";
import type { RunView } from "../../server/api/run-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { ResultBadge, StateBadge } from "../parts/state-badge.tsx";
import { LogSection } from "../record/log-section.tsx";
import { NotesSection } from "../record/notes-section.tsx";
import { OptionsSection } from "../record/options-section.tsx";
import { RunActions } from "../record/run-actions.tsx";
import { ScriptSection } from "../record/script-section.tsx";
import { useSession } from "../session/session.tsx";

/** @param id number or testid */
export function RunPage({ id }: { readonly id: string }): JSX.Element {
  const { view: session } = useSession();
  const { answer: run, error, reload } = useAnswer<RunView>(`/runs/${encodeURIComponent(id)}`);
  if (!run) {
    return (
      <>
        <PageTitle title={`Run ${id}`} />
        {error && <Failure what="The run could not be read" error={error} onRetry={reload} />}
      </>
    );
  }
  return (
    <>
      <PageTitle title={run.test}>
        <PlainText text={run.test} limit={200} />
      </PageTitle>
      <p role="status">
        <StateBadge state={run.state} /> <ResultBadge result={run.result} />
      </p>
      <p class="button-row">
        <RunActions run={run} session={session} />
      </p>
      <ScriptSection run={run} session={session} />
      <OptionsSection run={run} session={session} />
      <LogSection run={run} session={session} />
      <NotesSection run={run} session={session} />
    </>
  );
}
