/**
 * The charts of one page as a group: Esc shows everything again, and they follow the system's setting of dark or light.
 */
import { useEffect, useState } from "preact/hooks";
import { ChartGroup, type TimeRange } from "./chart-group.ts";

export function useChartGroup(): ChartGroup {
  const [group] = useState(() => new ChartGroup());
  useEffect(() => {
    const ends = new AbortController();
    const { signal } = ends;
    document.addEventListener(
      "keydown",
      ({ key }) => {
        // In a dialog, Esc closes the dialog.
        if (key === "Escape" && group.zoom && !document.querySelector("dialog[open]")) {
          group.setZoom(null);
        }
      },
      { signal },
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => group.redrawAll(), {
      signal,
    });
    return () => ends.abort();
  }, [group]);
  return group;
}

/** The part that is zoomed into; null: all. */
export function useZoom(group: ChartGroup): TimeRange | null {
  const [zoom, setZoom] = useState(group.zoom);
  useEffect(() => group.onZoom(() => setZoom(group.zoom)), [group]);
  return zoom;
}
