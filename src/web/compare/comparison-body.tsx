/**
 * What a comparison says, from the verdict down to each endpoint.
 */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Comparison, Difference } from "../../analyse/comparison.ts";
import "../style/chart.css";
import type { SeriesStyle } from "../chart/series-style.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { useChartGroup } from "../chart/use-chart-group.ts";
import { ZoomBar } from "../chart/zoom-bar.tsx";
import { formatSeconds, formatValue } from "../format/number.ts";
import { hrefOf } from "../navigation/place.ts";
import { Notice } from "../parts/notice.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { TableRegion } from "../parts/table-region.tsx";
import { RunSection } from "../record/section.tsx";
import { alignCharts } from "./align-charts.ts";
import { Change } from "./change.tsx";
import { type DifferenceKind } from "./difference-words.ts";
import { EndpointDifferences } from "./endpoint-differences.tsx";
import { LadderChart } from "./ladder-chart.tsx";

interface ComparisonBodyProps {
  readonly comparison: Comparison;
}

export function ComparisonBody({ comparison }: ComparisonBodyProps): JSX.Element {
  const { base, run, comparable, load, ladder, endpoints } = comparison;
  const group = useChartGroup();
  const names = { base: `base ${base.id}`, run: `run ${run.id}` };
  const { times, charts } = useMemo(
    () => alignCharts({ ...base, name: names.base }, { ...run, name: names.run }),
    [comparison],
  );
  group.setExtent({ from: times[0] ?? 0, to: Math.max(times.at(-1) ?? 0, 1) });
  return (
    <>
      {comparable.ok ? (
        <Notice title="The loads were alike: the differences are the system’s." />
      ) : (
        <Notice tone="warn" title={`Not comparable: ${comparable.reasons.join("; ")}`}>
          <p>
            What differs below may be the load’s doing. Run both with the same script, VUs and
            duration to know.
          </p>
        </Notice>
      )}
      <p class="compare-key">
        <svg width="32" height="8" aria-hidden="true">
          <line
            x1="0"
            y1="4"
            x2="32"
            y2="4"
            stroke-width="2"
            stroke-dasharray={baseDash.join(" ")}
          />
        </svg>{" "}
        <a href={hrefOf(`/runs/${base.id}`)}>base {base.id}</a>{" "}
        <svg width="32" height="8" aria-hidden="true">
          <line x1="0" y1="4" x2="32" y2="4" stroke-width="2" />
        </svg>{" "}
        <a href={hrefOf(`/runs/${run.id}`)}>run {run.id}</a>
      </p>
      <DifferenceTable
        id="load"
        title="Load"
        header="Of the load"
        kind="load"
        format={(value) => formatValue("count", value)}
        names={names}
        rows={load}
      />
      <RunSection id="course" title="Load and latency">
        <ZoomBar group={group} kind="elapsed" hasHint />
        <div class="charts">
          {charts.map((chart) => (
            <TimeChart
              key={chart.id}
              chart={chart}
              times={times}
              kind="elapsed"
              group={group}
              styleOf={pairStyle}
            />
          ))}
        </div>
      </RunSection>
      <LadderChart ladder={ladder} names={names} />
      <DifferenceTable
        id="ladder"
        title="Percentiles"
        header="Percentile"
        kind="latency"
        format={formatSeconds}
        names={names}
        rows={ladder.map(({ percent, difference }) => ({ name: `p${percent}`, difference }))}
      />
      <EndpointDifferences endpoints={endpoints} />
    </>
  );
}

const baseDash: readonly number[] = [6, 4];

/** A colour per measure; the base is dashed. */
function pairStyle(index: number): SeriesStyle {
  return {
    colour: `series-${(Math.floor(index / 2) % 10) + 1}`,
    dash: index % 2 === 0 ? baseDash : [],
  };
}

interface DifferenceTableProps {
  readonly id: string;
  readonly title: string;
  readonly header: string;
  readonly kind: DifferenceKind;
  readonly format: (value: number | null) => string;
  readonly names: { readonly base: string; readonly run: string };
  readonly rows: readonly { readonly name: string; readonly difference: Difference }[];
}

function DifferenceTable(props: DifferenceTableProps): JSX.Element {
  const { id, title, header, kind, format, names, rows } = props;
  return (
    <RunSection id={id} title={title}>
      <TableRegion caption={title}>
        <thead>
          <tr>
            <th scope="col">{header}</th>
            <th scope="col" class="number">
              {names.base}
            </th>
            <th scope="col" class="number">
              {names.run}
            </th>
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, difference }) => (
            <tr key={name}>
              <th scope="row">
                <PlainText text={name} />
              </th>
              <td class="number">{format(difference.base)}</td>
              <td class="number">{format(difference.run)}</td>
              <td>
                <Change kind={kind} difference={difference} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableRegion>
    </RunSection>
  );
}
