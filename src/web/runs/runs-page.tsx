/**
 * The list of runs: what is running now, and all others, found by what the address says.
 */
import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import type { RunListView } from "../../server/api/run-view.ts";
import { useAnswer } from "../api/use-answer.ts";
import { formatPlural } from "../format/number.ts";
import { navigate, usePlace } from "../navigation/place.ts";
import { Failure } from "../parts/failure.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { hasRole, useSession } from "../session/session.tsx";
import { NoRuns } from "./no-runs.tsx";
import { Pages } from "./pages.tsx";
import { RunFilters } from "./run-filters.tsx";
import { RunningNow } from "./running-now.tsx";
import { RunsTable } from "./runs-table.tsx";
import {
  isFiltered,
  type ListQuery,
  parseListQuery,
  pathOfList,
  questionOf,
} from "./list-query.ts";
import { Selection, useSelection } from "./selection.tsx";
import "../style/runs.css";

const pageRuns = 50;

export function RunsPage(): JSX.Element {
  const { view } = useSession();
  return (
    <>
      <PageTitle title="Runs" />
      {hasRole(view, "read") ? (
        <Runs />
      ) : (
        <Notice title="This token sees the runs that it started, one at a time.">
          <p>
            Open the address that k6 printed when the run began, or sign in with a token of the role
            read.
          </p>
        </Notice>
      )}
    </>
  );
}

function Runs(): JSX.Element {
  const { query: params } = usePlace();
  const query = useMemo(() => parseListQuery(params), [params]);
  const question = useMemo(() => questionOf(query, pageRuns, Date.now()), [query]);
  const { answer: list, error, isLoading, reload } = useAnswer<RunListView>(question);
  const selection = useSelection();

  const change = useCallback(
    (changes: Partial<ListQuery>, options?: { readonly replace: boolean }): void => {
      // Another list begins at its first page.
      navigate(pathOfList({ ...query, after: "", ...changes }), options);
    },
    [query],
  );

  return (
    <>
      <RunningNow onChange={reload} />
      <h2 class="visually-hidden">All runs</h2>
      <RunFilters query={query} onChange={change} />
      {error && <Failure what="The runs could not be read" error={error} onRetry={reload} />}
      {list && (
        <>
          <div class="list-head">
            <p role="status" class="quiet">
              {isLoading ? "" : totalWords(list.total, isFiltered(query))}
            </p>
            {(list.total > 0 || selection.ids.length > 0) && <Selection selection={selection} />}
          </div>
          {list.runs.length === 0 ? (
            <NoRuns query={query} />
          ) : (
            <RunsTable
              runs={list.runs}
              query={query}
              isStale={isLoading}
              selection={selection}
              onSort={(sort, order) => change({ sort, order })}
              onChanged={reload}
            />
          )}
          <Pages
            isFirst={query.after === ""}
            next={list.next}
            onGo={(after) => change({ after })}
          />
        </>
      )}
      {!list && !error && <p aria-busy="true" class="loading" />}
    </>
  );
}

function totalWords(total: number, filtered: boolean): string {
  if (total === 0) return filtered ? "No run matches" : "";
  return filtered ? formatPlural(total, "run matches", "runs match") : formatPlural(total, "run");
}
