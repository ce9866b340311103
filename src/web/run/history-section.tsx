/**
 * The states that a run was in, since when, why, and who asked for it.
 */
import type { JSX } from "preact";
import type { RunView } from "../../server/api/run-view.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { Time } from "../parts/time.tsx";
import { RunSection } from "../record/section.tsx";

export function HistorySection({ run }: { readonly run: RunView }): JSX.Element {
  return (
    <RunSection id="history" title="History">
      <TableRegion caption="History">
        <thead>
          <tr>
            <th scope="col">Since</th>
            <th scope="col">State</th>
            <th scope="col">Why</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {run.history.map(({ state, at, reason, by }) => (
            <tr key={state}>
              <td>
                <Time at={at} />
              </td>
              <th scope="row">
                <StateBadge state={state} />
              </th>
              <td>{reason !== null && <PlainText text={reason} />}</td>
              <td>{by !== null && <PlainText text={by} />}</td>
            </tr>
          ))}
        </tbody>
      </TableRegion>
      {run.hasLateData && <p>Samples came after the end, and are stored.</p>}
    </RunSection>
  );
}
