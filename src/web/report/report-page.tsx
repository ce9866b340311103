/**
 * A report: the run page as it was at one moment, without what one can do there.
 */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useChartGroup } from "../chart/use-chart-group.ts";
import { isUnderWay } from "../format/state-words.ts";
import { zoneName } from "../format/time.ts";
import { Notice } from "../parts/notice.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { ResultBadge, StateBadge } from "../parts/state-badge.tsx";
import { Time } from "../parts/time.tsx";
import { RunSection } from "../record/section.tsx";
import { HistorySection } from "../run/history-section.tsx";
import { headlineFigures } from "../run/headline-figures.ts";
import { RunBody } from "../run/run-body.tsx";
import { RunFigures } from "../run/run-figures.tsx";
import { RunProgress } from "../run/run-progress.tsx";
import { reasonOf } from "../run/state-advice.ts";
import { SummarySection } from "../run/summary-section.tsx";
import { ThresholdsSection } from "../run/thresholds-section.tsx";
import type { ReportData } from "./report-data.ts";
import { ReportLog, ReportOptions } from "./report-sections.tsx";

export function ReportPage({ report }: { readonly report: ReportData }): JSX.Element {
  const { run } = report;
  return (
    <main>
      <article class="run">
        <ReportHeader report={report} />
        <ReportNotices report={report} />
        {report.charts ? <WithCharts {...report} charts={report.charts} /> : <OfRecord run={run} />}
        {run.note !== "" && (
          <RunSection id="notes" title="Notes">
            <p class="note-text">
              <PlainText text={run.note} />
            </p>
          </RunSection>
        )}
        <ReportOptions options={run.options} />
        <ReportLog report={report} />
      </article>
    </main>
  );
}

function ReportHeader({ report }: { readonly report: ReportData }): JSX.Element {
  const { run, made, version, source } = report;
  const reason = reasonOf(run);
  const since = run.started ?? run.created;
  return (
    <header class="run-header">
      <PageTitle title={run.test}>
        <PlainText text={run.test} limit={200} />
      </PageTitle>
      <div class="run-state">
        <span role="status">
          <StateBadge state={run.state} /> <ResultBadge result={run.result} />
        </span>
        {reason !== null && (
          <span class="quiet">
            <PlainText text={reason} />
          </span>
        )}
        <RunProgress run={run} nowMs={() => Date.parse(made)} />
      </div>
      <p class="run-facts">
        Run {run.id}, testid{" "}
        <span class="code">
          <PlainText text={run.testid} limit={120} />
        </span>
        , by <PlainText text={run.startedBy} limit={80} /> with{" "}
        <PlainText text={run.generator} limit={80} />, since <Time at={since} />
      </p>
      <p class="run-facts">
        Report by Plimsoll {version}, made <Time at={made} /> from <PlainText text={source} />
        {run.stores.length > 0 && (
          <>
            ; samples in <PlainText text={run.stores.join(", ")} />
          </>
        )}
        . Times are {zoneName(Date.parse(made))}, the zone of who reads this.
      </p>
    </header>
  );
}

function ReportNotices({ report }: { readonly report: ReportData }): JSX.Element {
  const { run, problem } = report;
  return (
    <>
      {isUnderWay(run.state) && (
        <Notice tone="warn" title="The run was going on when this report was made.">
          <p>Its figures are those of the time until then. Make another one when it is over.</p>
        </Notice>
      )}
      {problem && (
        <Notice tone="warn" title="Charts and tables are missing.">
          <p>
            <PlainText text={problem.message} />. What the run's record has is all here.
          </p>
        </Notice>
      )}
    </>
  );
}

function WithCharts({
  run,
  charts,
}: ReportData & { readonly charts: NonNullable<ReportData["charts"]> }): JSX.Element {
  const group = useChartGroup();
  useEffect(() => {
    // Paper shows what nobody has scrolled to, and has other colours.
    const paper = matchMedia("print");
    const draw = (): void => group.drawAll();
    paper.addEventListener("change", draw);
    return () => paper.removeEventListener("change", draw);
  }, [group]);
  return (
    <RunBody
      run={run}
      charts={charts.run}
      serverCharts={charts.server}
      tables={charts.tables}
      group={group}
    />
  );
}

function OfRecord({ run }: Pick<ReportData, "run">): JSX.Element {
  const charts = { charts: [] };
  return (
    <>
      <RunFigures
        figures={headlineFigures({ run, tables: undefined, charts })}
        isOver={!isUnderWay(run.state)}
      />
      <ThresholdsSection run={run} />
      <SummarySection run={run} />
      <HistorySection run={run} />
    </>
  );
}
