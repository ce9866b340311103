/**
 * The end summary: every metric of the run over all of it, as the record keeps it for years.
 */
import type { JSX } from "preact";
import type { RunView } from "../../server/api/run-view.ts";
import {
  formatBytes,
  formatCount,
  formatRatio,
  formatSeconds,
  formatValue,
} from "../format/number.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { RunSection } from "../record/section.tsx";
import { isTimeMetric } from "./threshold-margin.ts";

type Row = RunView["summary"][number];

/** In the order of their columns, as `runs/` has them: a counter has a count, a rate a rate, a trend all the others. */
const stats = [
  "count",
  "rate",
  "nonzero",
  "zero",
  "value",
  "avg",
  "min",
  "med",
  "p90",
  "p95",
  "p99",
  "max",
];

export function SummarySection({ run }: { readonly run: RunView }): JSX.Element | null {
  const { summary } = run;
  if (summary.length === 0) return null;
  const metrics = [...new Set(summary.map(({ metric }) => metric))].toSorted();
  const columns = stats.filter((stat) => summary.some((row) => row.stat === stat));
  const rows = new Map(summary.map((row) => [`${row.metric} ${row.stat}`, row]));
  return (
    <RunSection id="summary" title="Summary">
      <TableRegion caption="Summary of every metric">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            {columns.map((stat) => (
              <th scope="col" class="number" key={stat}>
                {stat}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {metrics.map((metric) => (
            <tr key={metric}>
              <th scope="row" class="code">
                <PlainText text={metric} limit={120} />
              </th>
              {columns.map((stat) => (
                <td class="number" key={stat}>
                  {formatSummaryValue(rows.get(`${metric} ${stat}`))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </TableRegion>
    </RunSection>
  );
}

/** With its unit, where k6 itself defines the metric; of a script's own metrics nobody knows it. */
function formatSummaryValue(row: Row | undefined): string {
  if (!row) return "";
  const { metric, stat, value } = row;
  if (stat === "rate") return formatRatio(value);
  if (/^(browser_)?data_(sent|received)$/.test(metric)) return formatBytes(value);
  if (stat === "count" || stat === "nonzero" || stat === "zero") return formatCount(value);
  return isTimeMetric(metric) ? formatSeconds(value) : formatValue("count", value);
}
