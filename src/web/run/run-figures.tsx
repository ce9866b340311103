/**
 * The figures of a run that one looks at first. `value` carries the raw number, for whoever reads the page by program.
 */
import type { JSX } from "preact";
import { formatCount, formatRate, formatRatio, formatSeconds, noValue } from "../format/number.ts";
import type { Figures } from "./headline-figures.ts";

interface RunFiguresProps {
  readonly figures: Figures;
  readonly isOver: boolean;
}

export function RunFigures({ figures, isOver }: RunFiguresProps): JSX.Element {
  const { requests, perSecond, p50, p95, p99, failedRatio, vus, checksRatio } = figures;
  return (
    <dl class="figures" aria-label="Figures">
      <Figure id="requests" name="Requests" value={requests} format={formatCount} />
      <Figure
        id="rps"
        name={isOver ? "Requests/s" : "Requests/s now"}
        value={perSecond}
        format={formatRate}
      />
      <Figure id="p50" name="p50" value={p50} format={formatSeconds} />
      <Figure id="p95" name="p95" value={p95} format={formatSeconds} />
      <Figure id="p99" name="p99" value={p99} format={formatSeconds} />
      <Figure
        id="failed"
        name="Failed"
        value={failedRatio}
        format={formatRatio}
        isBad={(failedRatio ?? 0) > 0}
      />
      <Figure id="vus" name={isOver ? "VUs at most" : "VUs now"} value={vus} format={formatCount} />
      <Figure
        id="checks"
        name="Checks passed"
        value={checksRatio}
        format={formatRatio}
        isBad={(checksRatio ?? 1) < 1}
      />
    </dl>
  );
}

interface FigureProps {
  readonly id: string;
  readonly name: string;
  readonly value: number | null;
  readonly format: (value: number | null) => string;
  readonly isBad?: boolean;
}

function Figure({ id, name, value, format, isBad = false }: FigureProps): JSX.Element {
  return (
    <div class={isBad ? "figure figure-bad" : "figure"}>
      <dt>{name}</dt>
      <dd>
        {value === null ? (
          <span id={`figure-${id}`}>{noValue}</span>
        ) : (
          <data id={`figure-${id}`} value={value}>
            {format(value)}
          </data>
        )}
      </dd>
    </div>
  );
}
