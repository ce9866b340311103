/**
 * What a run measured: figures, thresholds, charts and tables. The page and the report show the same.
 */
import type { JSX } from "preact";
import type { RunTables } from "../../charts/chart-data.ts";
import type { RunView } from "../../server/api/run-view.ts";
import type { ChartGroup, TimeRange } from "../chart/chart-group.ts";
import { isUnderWay } from "../format/state-words.ts";
import { RunSection } from "../record/section.tsx";
import { BesideSection, GeneratorSection, LoadSection } from "./charts-sections.tsx";
import { ChecksSection, ErrorsSection } from "./checks-section.tsx";
import { EndpointsSection } from "./endpoints-section.tsx";
import { headlineFigures } from "./headline-figures.ts";
import { HistorySection } from "./history-section.tsx";
import type { LiveCharts } from "./live-run.ts";
import { RunFigures } from "./run-figures.tsx";
import { SummarySection } from "./summary-section.tsx";
import { ThresholdsSection } from "./thresholds-section.tsx";
import { TrendTable } from "./trend-table.tsx";

interface RunBodyProps {
  readonly run: RunView;
  readonly charts: LiveCharts;
  readonly serverCharts: LiveCharts;
  /** Undefined where the store has not been asked, or is away. */
  readonly tables: RunTables | undefined;
  readonly group: ChartGroup;
}

export function RunBody(props: RunBodyProps): JSX.Element {
  const { run, charts, serverCharts, tables, group } = props;
  group.setExtent(extentOf(charts.times, serverCharts.times));
  return (
    <>
      <RunFigures
        figures={headlineFigures({ run, tables, charts })}
        isOver={!isUnderWay(run.state)}
      />
      <ThresholdsSection run={run} />
      <LoadSection charts={charts} group={group} />
      <BesideSection charts={serverCharts} group={group} />
      <EndpointsSection
        tables={tables}
        chart={charts.charts.find(({ id }) => id === "endpoints")}
        times={charts.times}
        group={group}
      />
      <ErrorsSection tables={tables} />
      <ChecksSection tables={tables} />
      <ScenariosSection tables={tables} />
      <GeneratorSection charts={charts} group={group} />
      <SummarySection run={run} />
      <HistorySection run={run} />
    </>
  );
}

function ScenariosSection({ tables }: Pick<RunBodyProps, "tables">): JSX.Element {
  return (
    <RunSection id="scenarios" title="Scenarios and groups">
      {tables ? (
        <>
          {tables.scenarios.length === 0 && <p>No iteration has ended yet.</p>}
          {tables.scenarios.length > 0 && (
            <TrendTable
              caption="Iterations by scenario"
              nameHeader="Scenario"
              rows={tables.scenarios}
            />
          )}
          {tables.groups.length > 0 && (
            <TrendTable caption="Groups" nameHeader="Group" rows={tables.groups} />
          )}
        </>
      ) : (
        <p>What each scenario did is in the store.</p>
      )}
    </RunSection>
  );
}

/** The load's time; where there is none, the time of what is beside it. */
function extentOf(times: readonly number[], serverTimes: readonly number[]): TimeRange {
  const shown = times.length > 0 ? times : serverTimes;
  const from = shown[0] ?? 0;
  // A run of one second has one value.
  return { from, to: Math.max(shown.at(-1) ?? 0, from + 1) };
}
