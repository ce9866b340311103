/**
 * A page of runs as a table: what each was, how it went, and what one may do with it.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RunListItem } from "../../server/api/run-view.ts";
import { formatCount, formatRatio, formatSeconds, noValue } from "../format/number.ts";
import { isUnderWay } from "../format/state-words.ts";
import { formatDuration } from "../format/time.ts";
import { hrefOf } from "../navigation/place.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { ResultBadge, StateBadge } from "../parts/state-badge.tsx";
import { SortHeader, TableRegion } from "../parts/table-region.tsx";
import { Time } from "../parts/time.tsx";
import { DeleteDialog } from "../record/delete-dialog.tsx";
import { NoteForm } from "../record/note-form.tsx";
import { StarButton } from "../record/star-button.tsx";
import { hasRole, useSession } from "../session/session.tsx";
import type { ListQuery, SortKey } from "./list-query.ts";
import type { Selected } from "./selection.tsx";

interface RunsTableProps {
  readonly runs: readonly RunListItem[];
  readonly query: ListQuery;
  /** Another page is on its way. */
  readonly isStale: boolean;
  readonly selection: Selected;
  readonly onSort: (sort: SortKey, order: "asc" | "desc") => void;
  readonly onChanged: () => void;
}

interface OpenDialog {
  readonly kind: "note" | "delete";
  readonly run: RunListItem;
}

export function RunsTable(props: RunsTableProps): JSX.Element {
  const { runs, query, isStale, selection, onSort, onChanged } = props;
  const [open, setOpen] = useState<OpenDialog>();
  const close = (): void => setOpen(undefined);
  const sorting = { sort: query.sort, order: query.order, onSort };
  return (
    <div class={isStale ? "stale" : undefined} aria-busy={isStale}>
      <TableRegion caption="Runs">
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">Select</span>
            </th>
            <th scope="col">
              <span class="visually-hidden">Star</span>
            </th>
            <th scope="col">Run</th>
            <SortHeader name="State" sortKey="state" firstOrder="asc" {...sorting} />
            <SortHeader name="Test" sortKey="test" firstOrder="asc" {...sorting} />
            <SortHeader name="Created" sortKey="created" {...sorting} />
            <SortHeader name="Duration" sortKey="duration" isNumber {...sorting} />
            <SortHeader name="Requests" sortKey="requests" isNumber {...sorting} />
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col">Thresholds</th>
            <th scope="col">Started by</th>
            <th scope="col">Labels</th>
            <th scope="col">Note</th>
            <th scope="col">
              <span class="visually-hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunRow
              key={run.id}
              run={run}
              isSelected={selection.ids.includes(run.id)}
              onSelect={() => selection.toggle(run.id)}
              onOpen={(kind) => setOpen({ kind, run })}
            />
          ))}
        </tbody>
      </TableRegion>
      {open?.kind === "delete" && (
        <DeleteDialog run={open.run} onClose={close} onDeleted={onChanged} />
      )}
      {open?.kind === "note" && (
        <Dialog title="Note" onClose={close}>
          <p>
            <PlainText text={open.run.testid} />
          </p>
          <NoteForm
            run={open.run}
            onCancel={close}
            onSaved={() => {
              close();
              onChanged();
            }}
          />
        </Dialog>
      )}
    </div>
  );
}

interface RunRowProps {
  readonly run: RunListItem;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
  readonly onOpen: (kind: OpenDialog["kind"]) => void;
}

function RunRow({ run, isSelected, onSelect, onOpen }: RunRowProps): JSX.Element {
  const { view } = useSession();
  const { headline } = run;
  return (
    <tr class={isSelected ? "selected" : undefined}>
      <td>
        <input
          type="checkbox"
          aria-label={`Select run ${run.id}`}
          checked={isSelected}
          onChange={onSelect}
        />
      </td>
      <td>
        <StarButton run={run} isSmall />
      </td>
      <th scope="row">
        <a class="one-line" href={hrefOf(`/runs/${run.id}`)}>
          <PlainText text={run.testid} limit={80} isCutForGood />
        </a>
      </th>
      <td>
        <StateBadge state={run.state} /> {/* Of an aborted run, the state says it. */}
        {run.state === "finished" && <ResultBadge result={run.result} />}
      </td>
      <td class="name">
        <PlainText text={run.test} limit={80} />
      </td>
      <td class="nowrap">
        <Time at={run.created} isRelative />
      </td>
      <td class="number">{formatDuration(secondsOf(run))}</td>
      <td class="number">{formatCount(headline?.requests ?? null)}</td>
      <td class="number">{formatRatio(headline?.failedRatio ?? null)}</td>
      <td class="number">{formatSeconds(headline?.p95Seconds ?? null)}</td>
      <td class="nowrap">{thresholdWords(run)}</td>
      <td class="name">
        <PlainText text={run.startedBy} limit={40} />
      </td>
      <td class="tags">
        {Object.entries(run.tags).map(([name, value]) => (
          <span class="tag" key={name}>
            <PlainText text={`${name}=${value}`} limit={60} />
          </span>
        ))}
      </td>
      <td class="note">
        <PlainText text={run.note} limit={120} />
      </td>
      <td class="row-buttons">
        <Button kind="bare" aria-label={`Note on run ${run.id}`} onClick={() => onOpen("note")}>
          Note
        </Button>
        {hasRole(view, "admin") && !isUnderWay(run.state) && (
          <Button kind="bare" aria-label={`Delete run ${run.id}`} onClick={() => onOpen("delete")}>
            Delete
          </Button>
        )}
      </td>
    </tr>
  );
}

/** Of what went on, not of waiting for it. Null before the end. */
function secondsOf({ started, ended }: RunListItem): number | null {
  return started === null || ended === null
    ? null
    : Math.max(0, Date.parse(ended) - Date.parse(started)) / 1_000;
}

function thresholdWords({ thresholds: { passed, failed, open } }: RunListItem): string {
  const parts = [
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(passed > 0 ? [`${formatCount(passed)} passed`] : []),
    ...(open > 0 ? [`${formatCount(open)} open`] : []),
  ];
  return parts.length === 0 ? noValue : parts.join(", ");
}
