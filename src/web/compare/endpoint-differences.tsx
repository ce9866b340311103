/**
 * What became of each endpoint: what got worse comes first.
 */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { EndpointDifference } from "../../analyse/comparison.ts";
import { formatCount, formatRatio, formatSeconds } from "../format/number.ts";
import { PlainText } from "../parts/plain-text.tsx";
import { SortHeader, TableRegion } from "../parts/table-region.tsx";
import { RunSection } from "../record/section.tsx";
import { Change } from "./change.tsx";
import type { DifferenceKind } from "./difference-words.ts";
import { sortDifferences } from "./sort-differences.ts";

type Measure = Exclude<keyof EndpointDifference, "name">;

const columns: readonly {
  readonly key: Measure;
  readonly header: string;
  readonly kind: DifferenceKind;
  readonly format: (value: number | null) => string;
}[] = [
  { key: "p95", header: "p95", kind: "latency", format: formatSeconds },
  { key: "p50", header: "p50", kind: "latency", format: formatSeconds },
  { key: "p99", header: "p99", kind: "latency", format: formatSeconds },
  { key: "failedRatio", header: "Failed", kind: "failures", format: formatRatio },
  { key: "count", header: "Requests", kind: "load", format: formatCount },
];

interface EndpointDifferencesProps {
  readonly endpoints: readonly EndpointDifference[];
}

export function EndpointDifferences({ endpoints }: EndpointDifferencesProps): JSX.Element {
  const [sort, setSort] = useState<{ key: Measure; order: "asc" | "desc" }>({
    key: "p95",
    order: "desc",
  });
  const rows = useMemo(() => sortDifferences(endpoints, sort.key, sort.order), [endpoints, sort]);
  return (
    <RunSection id="endpoints" title="Endpoints">
      {endpoints.length === 0 ? (
        <p>Neither run made a request.</p>
      ) : (
        <TableRegion caption="Endpoints">
          <thead>
            <tr>
              <th scope="col">Endpoint</th>
              {columns.map(({ key, header }) => (
                <SortHeader
                  key={key}
                  name={header}
                  sortKey={key}
                  sort={sort.key}
                  order={sort.order}
                  onSort={(key, order) => setSort({ key, order })}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  <PlainText text={row.name} limit={120} />
                </th>
                {columns.map(({ key, kind, format }) => (
                  <td key={key}>
                    {format(row[key].base)} → {format(row[key].run)}
                    <br />
                    <Change kind={kind} difference={row[key]} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
    </RunSection>
  );
}
