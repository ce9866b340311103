/** What Grafana shows where there is nothing to draw: the dashboard's own text, or "No data". */
import type { PanelProps } from "@grafana/data";
import { config } from "@grafana/runtime";

export function NoData({ fieldConfig }: Pick<PanelProps, "fieldConfig">) {
  const { text } = config.theme2.colors;
  const middle = { display: "grid", placeItems: "center", height: "100%", color: text.secondary };
  return <div style={middle}>{fieldConfig.defaults.noValue ?? "No data"}</div>;
}
