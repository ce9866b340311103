/**
 * A piece of a series' line, as the chart draws it.
 */
import type { JSX } from "preact";
import type { SeriesStyle } from "./series-style.ts";

export function LegendLine({ colour, dash }: SeriesStyle): JSX.Element {
  // A class, not a style: the content security policy lets no element have one of its own.
  return (
    <svg
      class={`legend-line legend-${colour}`}
      width="24"
      height="8"
      aria-hidden="true"
      focusable="false"
    >
      <line x1="0" y1="4" x2="24" y2="4" stroke-width="2" stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}
