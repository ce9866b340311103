/**
 * A table of requests, scenarios or groups: each row stands for all of one name. Its rows change in place.
 */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { TrendRow } from "../../charts/chart-data.ts";
import { formatCount, formatRate, formatRatio, formatSeconds } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { SortHeader, TableRegion } from "../parts/table-region.tsx";
import { type SortKey, sortRows } from "./sort-rows.ts";

interface TrendTableProps {
  readonly caption: string;
  /** What a name is of, e.g. `Endpoint`. */
  readonly nameHeader: string;
  readonly rows: readonly TrendRow[];
  /** Makes names buttons: shows one in the chart. */
  readonly onChoose?: (name: string) => void;
  readonly chosen?: string | null;
}

const columns: readonly {
  readonly key: Exclude<SortKey, "name">;
  readonly header: string;
  readonly format: (value: number | null) => string;
}[] = [
  { key: "count", header: "Count", format: formatCount },
  { key: "perSecond", header: "Per second", format: formatRate },
  { key: "failedRatio", header: "Failed", format: formatRatio },
  { key: "avg", header: "Mean", format: formatSeconds },
  { key: "p50", header: "p50", format: formatSeconds },
  { key: "p95", header: "p95", format: formatSeconds },
  { key: "p99", header: "p99", format: formatSeconds },
  { key: "totalSeconds", header: "All together", format: formatDuration },
];

/** Of more, one looks for a name. */
const mostRows = 300;

export function TrendTable(props: TrendTableProps): JSX.Element {
  const { caption, nameHeader, rows, onChoose, chosen = null } = props;
  const [sort, setSort] = useState<{ key: SortKey; order: "asc" | "desc" }>({
    key: "totalSeconds",
    order: "desc",
  });
  const sorted = useMemo(() => sortRows(rows, sort.key, sort.order), [rows, sort]);
  // Of groups and scenarios nobody says what failed: a column of dashes says nothing.
  const shown = columns.filter(({ key }) => rows.some((row) => row[key] !== null));
  const header = {
    sort: sort.key,
    order: sort.order,
    onSort: (key: SortKey, order: "asc" | "desc") => setSort({ key, order }),
  };
  return (
    <TableRegion caption={caption}>
      <thead>
        <tr>
          <SortHeader name={nameHeader} sortKey="name" firstOrder="asc" {...header} />
          {shown.map(({ key, header: name }) => (
            <SortHeader key={key} name={name} sortKey={key} isNumber {...header} />
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.slice(0, mostRows).map((row) => (
          <tr key={row.name} class={row.name === chosen ? "chosen" : undefined}>
            <th scope="row">
              {onChoose ? (
                <button
                  type="button"
                  class="link-button"
                  aria-pressed={row.name === chosen ? "true" : "false"}
                  onClick={() => onChoose(row.name)}
                >
                  <PlainText text={row.name} limit={120} isCutForGood />
                </button>
              ) : (
                <PlainText text={row.name} limit={120} />
              )}
            </th>
            {shown.map(({ key, format }) => (
              <td
                key={key}
                class={key === "failedRatio" && (row[key] ?? 0) > 0 ? "number bad" : "number"}
              >
                {format(row[key])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
      {sorted.length > mostRows && (
        <tfoot>
          <tr>
            <td colSpan={shown.length + 1}>
              The first {formatCount(mostRows)} of {formatCount(sorted.length)}: sort or filter to
              see others.
            </td>
          </tr>
        </tfoot>
      )}
    </TableRegion>
  );
}
