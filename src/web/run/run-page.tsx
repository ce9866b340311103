/**
 * One run, while it goes on and afterwards: the same page, which the feed keeps up to date.
 */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { SessionView } from "../../server/api/session-view.ts";
import "../style/chart.css";
import type { ApiError } from "../api/client.ts";
import { useChartGroup, useZoom } from "../chart/use-chart-group.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { LogSection } from "../record/log-section.tsx";
import { NotesSection } from "../record/notes-section.tsx";
import { OptionsSection } from "../record/options-section.tsx";
import { ScriptSection } from "../record/script-section.tsx";
import { useSession } from "../session/session.tsx";
import "../style/record.css";
import "../style/run.css";
import { RunBody } from "./run-body.tsx";
import { RunHeader } from "./run-header.tsx";
import { RunNotices } from "./run-notices.tsx";
import { type FollowedRun, useRunFeed } from "./use-run-feed.ts";

/** @param id number or testid */
export function RunPage({ id }: { readonly id: string }): JSX.Element {
  const { view: session } = useSession();
  const followed = useRunFeed(id);
  if (!followed?.run) {
    return (
      <>
        <PageTitle title={`Run ${id}`} />
        {followed?.failure ? (
          <Failure
            what="The run could not be read"
            error={followed.failure}
            onRetry={followed.retry}
          />
        ) : (
          <p aria-busy="true">Asking the server …</p>
        )}
      </>
    );
  }
  return <Run followed={followed} session={session} />;
}

function goneWords(failure: ApiError | undefined): string | undefined {
  if (failure?.status === 404) return "Deleted";
  return failure?.status === 403 ? "Not to be seen" : undefined;
}

/** Of a long page; those that are there for each run. */
const parts = [
  ["thresholds", "Thresholds"],
  ["load", "Load and latency"],
  ["beside", "Beside it"],
  ["endpoints", "Endpoints"],
  ["checks", "Checks"],
  ["scenarios", "Scenarios"],
  ["history", "History"],
  ["script", "Script"],
  ["options", "Options"],
  ["log", "Log"],
  ["notes", "Notes"],
] as const;

function RunParts(): JSX.Element {
  return (
    <nav class="run-parts" aria-label="On this page">
      {parts.map(([id, name]) => (
        <a key={id} href={`#${id}`}>
          {name}
        </a>
      ))}
    </nav>
  );
}

interface RunProps {
  readonly followed: FollowedRun;
  readonly session: SessionView;
}

function Run({ followed, session }: RunProps): JSX.Element {
  const { run, charts, requests, serverCharts, tables, showPart } = followed;
  const group = useChartGroup();
  const zoom = useZoom(group);
  useEffect(() => showPart(zoom), [zoom]);
  if (!run) return <></>;
  const section = { run, session };
  return (
    <article class="run">
      <RunHeader {...section} nowMs={followed.nowMs} goneWords={goneWords(followed.failure)} />
      <RunNotices followed={followed} />
      <RunParts />
      <RunBody
        run={run}
        charts={charts}
        requests={requests}
        serverCharts={serverCharts}
        tables={tables}
        isLoading={followed.connection === "loading"}
        group={group}
      />
      <ScriptSection {...section} />
      <OptionsSection {...section} />
      <LogSection {...section} />
      <NotesSection {...section} />
    </article>
  );
}
