/**
 * Says which part of the time the charts show, and leads back to all of it.
 */
import type { JSX } from "preact";
import { Button } from "../parts/button.tsx";
import { formatMoment, type TimeKind } from "./axis-text.ts";
import type { ChartGroup } from "./chart-group.ts";
import { useZoom } from "./use-chart-group.ts";

interface ZoomBarProps {
  readonly group: ChartGroup;
  readonly kind?: TimeKind;
  /** Says how to zoom where nothing is. */
  readonly hasHint?: boolean;
}

export function ZoomBar({ group, kind = "clock", hasHint = false }: ZoomBarProps): JSX.Element {
  const zoom = useZoom(group);
  return (
    <p class="zoom-bar" aria-live="polite">
      {zoom ? (
        <>
          {formatMoment(kind, Math.round(zoom.from))} to {formatMoment(kind, Math.round(zoom.to))}{" "}
          <Button onClick={() => group.setZoom(null)}>Reset zoom</Button>
        </>
      ) : (
        hasHint && (
          <span class="quiet">
            Drag over a chart to zoom all of them; double-click or Esc leads back.
          </span>
        )
      )}
    </p>
  );
}
