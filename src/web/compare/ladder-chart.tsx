/**
 * The percentiles of two runs as two lines. Towards 100 % the axis is stretched, so that each further nine has as much room as the
 * one before: the slowest requests are what one looks for.
 */
import type { JSX } from "preact";
import type { Comparison } from "../../analyse/comparison.ts";
import { formatTick } from "../chart/axis-text.ts";
import { formatSeconds } from "../format/number.ts";
import { RunSection } from "../record/section.tsx";
import { ladderPoints, percentilePosition, roundTicks } from "./ladder-scale.ts";

interface LadderChartProps {
  readonly ladder: Comparison["ladder"];
  readonly names: { readonly base: string; readonly run: string };
}

/** Of the drawing; it is as wide as there is room. */
const box = { width: 400, height: 220, left: 52, right: 24, top: 12, bottom: 28 };

export function LadderChart({ ladder, names }: LadderChartProps): JSX.Element | null {
  const rungs = ladder.filter(({ percent }) => percent < 100);
  const seconds = rungs.flatMap(({ difference: { base, run } }) => [base ?? 0, run ?? 0]);
  const most = Math.max(...seconds, 0) * 1.1;
  if (most === 0) return null;
  const inner = {
    width: box.width - box.left - box.right,
    height: box.height - box.top - box.bottom,
  };
  const positions = rungs.map(({ percent }) => percentilePosition(percent));
  const last = Math.max(...positions);
  const x = (percent: number): number =>
    box.left + (percentilePosition(percent) / last) * inner.width;
  const y = (value: number): number => box.top + (1 - value / most) * inner.height;
  const line = (side: "base" | "run"): string => ladderPoints(rungs, side, { x, y });
  const words = rungs.map(
    ({ percent, difference }) =>
      `p${percent}: ${formatSeconds(difference.base)} and ${formatSeconds(difference.run)}`,
  );
  return (
    <RunSection id="ladder-chart" title="Percentile ladder">
      <figure class="chart ladder">
        <svg
          viewBox={`0 0 ${box.width} ${box.height}`}
          role="img"
          aria-label={`${names.base} and ${names.run}. ${words.join("; ")}`}
        >
          {roundTicks(most).map((tick) => (
            <g key={tick}>
              <line
                class="ladder-grid"
                x1={box.left}
                x2={box.width - box.right}
                y1={y(tick)}
                y2={y(tick)}
              />
              <text x={box.left - 8} y={y(tick) + 4} text-anchor="end">
                {formatTick("seconds", tick)}
              </text>
            </g>
          ))}
          {rungs.map(({ percent }) => (
            <g key={percent}>
              <line
                class="ladder-grid"
                x1={x(percent)}
                x2={x(percent)}
                y1={box.top}
                y2={box.height - box.bottom}
              />
              <text x={x(percent)} y={box.height - 8} text-anchor="middle">
                p{percent}
              </text>
            </g>
          ))}
          <polyline class="ladder-line ladder-base" points={line("base")} />
          <polyline class="ladder-line" points={line("run")} />
        </svg>
        <figcaption class="quiet">
          Response times up to which so many of 100 requests lie: dashed {names.base}, solid{" "}
          {names.run}.
        </figcaption>
      </figure>
    </RunSection>
  );
}
