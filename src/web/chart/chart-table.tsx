/**
 * A chart's values as a table, made when somebody opens it.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chart } from "../../charts/chart-data.ts";
import { formatCount, formatValue } from "../format/number.ts";
import { formatMoment, type TimeKind } from "./axis-text.ts";
import { tableRows } from "./summary.ts";

export interface ChartValues {
  readonly chart: Chart;
  /** On the axis that `kind` says; one for each value. */
  readonly times: readonly number[];
  readonly kind: TimeKind;
}

export function ChartTable({ chart, times, kind }: ChartValues): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Show as table</summary>
      {isOpen && <Table chart={chart} times={times} kind={kind} />}
    </details>
  );
}

function Table({ chart: { title, unit, series }, times, kind }: ChartValues): JSX.Element {
  const rows = tableRows(times.length);
  const part =
    rows.length < times.length
      ? `, ${formatCount(rows.length)} of ${formatCount(times.length)} times`
      : "";
  return (
    <div class="table-region" role="region" aria-label={`${title} as a table`} tabIndex={0}>
      <table>
        <caption>{title + part}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((index) => (
            <tr key={times[index]}>
              <th scope="row">{formatMoment(kind, times[index] ?? 0)}</th>
              {series.map(({ name, values }) => (
                <td key={name}>{formatValue(unit, values[index] ?? null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
