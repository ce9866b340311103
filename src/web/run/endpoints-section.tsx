/**
 * Requests by name: a table to sort and filter, and a chart of those that take most of the time.
 */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chart, RunTables } from "../../charts/chart-data.ts";
import type { ChartGroup } from "../chart/chart-group.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { formatPlural } from "../format/number.ts";
import { Button } from "../parts/button.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { RunSection } from "../record/section.tsx";
import { filterRows } from "./sort-rows.ts";
import { TrendTable } from "./trend-table.tsx";

interface EndpointsSectionProps {
  readonly tables: RunTables | undefined;
  /** Said where there are no tables. */
  readonly absent: string;
  readonly chart: Chart | undefined;
  readonly times: readonly number[];
  readonly group: ChartGroup;
}

/** From this many rows on, one looks for a name rather than at all of them. */
const filterFrom = 8;

export function EndpointsSection(props: EndpointsSectionProps): JSX.Element {
  const { tables, absent, chart, times, group } = props;
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const all = tables?.endpoints ?? [];
  const rows = filterRows(all, search);
  const inChart = chart?.series.some(({ name }) => name === chosen) === true;
  return (
    <RunSection id="endpoints" title="Endpoints">
      {chart && <TimeChart chart={chart} times={times} kind="clock" group={group} only={chosen} />}
      {chosen !== null && (
        <p aria-live="polite">
          {inChart ? "The chart shows " : "The chart has no line of "}
          <PlainText text={chosen} limit={120} isCutForGood />
          {inChart ? " alone. " : ": it has those that take most of the time. "}
          <Button kind="bare" onClick={() => setChosen(null)}>
            Show all
          </Button>
        </p>
      )}
      {all.length === 0 ? (
        <p>{tables ? "No request was made yet." : absent}</p>
      ) : (
        <>
          {all.length >= filterFrom && (
            <p class="filter">
              <label>
                Filter by name{" "}
                <input
                  type="search"
                  value={search}
                  onInput={({ currentTarget }) => setSearch(currentTarget.value)}
                />
              </label>{" "}
              <span aria-live="polite">
                {rows.length} of {formatPlural(all.length, "endpoint")}
              </span>
            </p>
          )}
          <div class="endpoints">
            <TrendTable
              caption="All endpoints"
              nameHeader="Endpoint"
              rows={rows}
              chosen={chosen}
              onChoose={(name) => setChosen(name === chosen ? null : name)}
            />
          </div>
        </>
      )}
    </RunSection>
  );
}
