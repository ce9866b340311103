/**
 * The charts of a run by what they tell of: the load and how it was answered, the system under test, the load generator.
 */
import type { JSX } from "preact";
import type { ChartGroup } from "../chart/chart-group.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { ZoomBar } from "../chart/zoom-bar.tsx";
import { Notice } from "../parts/notice.tsx";
import { RunSection } from "../record/section.tsx";
import { generatorAdvice } from "./generator-advice.ts";
import type { LiveCharts } from "./live-run.ts";

interface ChartsProps {
  readonly charts: LiveCharts;
  readonly group: ChartGroup;
}

/** Charts that stand in a section of their own. */
const elsewhere = new Set(["endpoints", "generator"]);

interface AbsentChartsProps extends ChartsProps {
  /** Said where there are no charts. */
  readonly absent: string;
}

export function LoadSection({ charts, group, absent }: AbsentChartsProps): JSX.Element {
  return (
    <RunSection id="load" title="Load and latency">
      <ZoomBar group={group} hasHint />
      {charts.charts.length === 0 ? (
        <p>{absent}</p>
      ) : (
        <div class="charts">
          {charts.charts
            .filter(({ id }) => !elsewhere.has(id))
            .map((chart) => (
              <TimeChart
                key={chart.id}
                chart={chart}
                times={charts.times}
                kind="clock"
                group={group}
              />
            ))}
        </div>
      )}
    </RunSection>
  );
}

export function BesideSection({ charts, group, absent }: AbsentChartsProps): JSX.Element {
  const shown = charts.charts.filter(({ series }) => series.length > 0);
  return (
    <RunSection id="beside" title="Beside it: the system under test">
      {shown.length > 0 && (
        <>
          <ZoomBar group={group} />
          <div class="charts">
            {shown.map((chart) => (
              <TimeChart
                key={chart.id}
                chart={chart}
                times={charts.times}
                kind="clock"
                group={group}
              />
            ))}
          </div>
        </>
      )}
      {charts.times.length === 0 && <p>{absent}</p>}
      {charts.times.length > 0 && shown.length === 0 && (
        <Notice title="The store has nothing about the system under test at the time of this run.">
          <p>
            Have the store scrape it: node_exporter on its hosts, postgres_exporter beside its
            database, and the application’s own /metrics. docs/dashboards.md, “Correlation”, says
            how, and <code>plimsoll up</code> starts a stack that does.
          </p>
        </Notice>
      )}
      {shown.length > 0 && charts.missing.length > 0 && (
        <p class="quiet">
          The store has nothing for: {charts.missing.join(", ")}. docs/dashboards.md, “Correlation”,
          says which exporter has it.
        </p>
      )}
    </RunSection>
  );
}

export function GeneratorSection({ charts, group }: ChartsProps): JSX.Element | null {
  const chart = charts.charts.find(({ id }) => id === "generator");
  if (!chart || chart.series.length === 0) return null;
  const advice = generatorAdvice(chart, charts.times);
  return (
    <RunSection id="generator" title="Load generator">
      {advice === null ? (
        <p>Nothing says that it was saturated: the latencies are those of the system under test.</p>
      ) : (
        <Notice tone="warn" title={advice}>
          <p>
            From then on the latencies are also those of the load generator itself. Give it more
            cores, or spread the load over several: docs/metrics.md says how to tell.
          </p>
        </Notice>
      )}
      <TimeChart chart={chart} times={charts.times} kind="clock" group={group} />
    </RunSection>
  );
}
