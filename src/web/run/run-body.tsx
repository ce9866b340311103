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

/** Where charts or tables would be. */
const loading = "Asking the server …";
const noSamples = "The store has no samples of this run, or could not be asked.";

interface RunBodyProps {
  readonly run: RunView;
  readonly charts: LiveCharts;
  /** As `headlineFigures` takes it. */
  readonly requests?: number | null;
  readonly serverCharts: LiveCharts;
  /** Undefined where the store has not been asked, or is away. */
  readonly tables: RunTables | undefined;
  /** Charts and tables are on their way. Default false. */
  readonly isLoading?: boolean;
  readonly group: ChartGroup;
}

export function RunBody(props: RunBodyProps): JSX.Element {
  const { run, charts, requests = null, serverCharts, tables, isLoading = false, group } = props;
  const isOver = !isUnderWay(run.state);
  const noCharts = isLoading
    ? loading
    : isOver
      ? noSamples
      : "The charts begin with the first samples.";
  const noTables = isLoading ? loading : "The store has it, and could not be asked.";
  group.setExtent(extentOf(charts.times, serverCharts.times));
  return (
    <>
      <RunFigures figures={headlineFigures({ run, tables, charts, requests })} isOver={isOver} />
      <ThresholdsSection run={run} />
      <LoadSection charts={charts} group={group} absent={noCharts} />
      <BesideSection charts={serverCharts} group={group} absent={noCharts} />
      <EndpointsSection
        tables={tables}
        absent={noTables}
        chart={charts.charts.find(({ id }) => id === "endpoints")}
        times={charts.times}
        group={group}
      />
      <ErrorsSection tables={tables} />
      <ChecksSection tables={tables} absent={noTables} />
      <ScenariosSection tables={tables} absent={noTables} />
      <GeneratorSection charts={charts} group={group} />
      <SummarySection run={run} />
      <HistorySection run={run} />
    </>
  );
}

interface ScenariosProps extends Pick<RunBodyProps, "tables"> {
  /** Said where there are no tables. */
  readonly absent: string;
}

function ScenariosSection({ tables, absent }: ScenariosProps): JSX.Element {
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
        <p>{absent}</p>
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
