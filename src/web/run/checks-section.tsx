/**
 * Checks, those that failed first; and errors by status and code.
 */
import type { JSX } from "preact";
import type { RunTables } from "../../charts/chart-data.ts";
import { formatCount, formatRatio } from "../format/number.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { Badge } from "../parts/state-badge.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { RunSection } from "../record/section.tsx";

interface TablesProps {
  readonly tables: RunTables | undefined;
}

interface ChecksProps extends TablesProps {
  /** Said where there are no tables. */
  readonly absent: string;
}

export function ChecksSection({ tables, absent }: ChecksProps): JSX.Element {
  const checks = (tables?.checks ?? []).toSorted((a, b) => b.fails - a.fails);
  return (
    <RunSection id="checks" title="Checks">
      {checks.length === 0 ? (
        <p>{tables ? "The script made none." : absent}</p>
      ) : (
        <TableRegion caption="All checks">
          <thead>
            <tr>
              <th scope="col">Verdict</th>
              <th scope="col">Check</th>
              <th scope="col" class="number">
                Passed
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col" class="number">
                Share passed
              </th>
            </tr>
          </thead>
          <tbody>
            {checks.map(({ name, passes, fails }) => (
              <tr key={name}>
                <td>
                  <Badge
                    tone={fails > 0 ? "bad" : "good"}
                    words={fails > 0 ? "Failed" : "Passed"}
                  />
                </td>
                <th scope="row">
                  <PlainText text={name} />
                </th>
                <td class="number">{formatCount(passes)}</td>
                <td class="number">{formatCount(fails)}</td>
                <td class="number">
                  {formatRatio(passes + fails > 0 ? passes / (passes + fails) : null)}
                </td>
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
    </RunSection>
  );
}

export function ErrorsSection({ tables }: TablesProps): JSX.Element | null {
  const errors = (tables?.errors ?? []).toSorted((a, b) => b.count - a.count);
  if (errors.length === 0) return null;
  return (
    <RunSection id="errors" title="Errors">
      <TableRegion caption="Errors by status">
        <thead>
          <tr>
            <th scope="col">Endpoint</th>
            <th scope="col">Status</th>
            <th scope="col">k6’s error code</th>
            <th scope="col" class="number">
              Requests
            </th>
          </tr>
        </thead>
        <tbody>
          {errors.map(({ name, status, errorCode, count }) => (
            <tr key={`${name} ${status} ${errorCode}`}>
              <th scope="row">
                <PlainText text={name} limit={120} />
              </th>
              <td>{status === "0" || status === "" ? "no answer" : <PlainText text={status} />}</td>
              <td class="code">
                <PlainText text={errorCode} />
              </td>
              <td class="number">{formatCount(count)}</td>
            </tr>
          ))}
        </tbody>
      </TableRegion>
    </RunSection>
  );
}
