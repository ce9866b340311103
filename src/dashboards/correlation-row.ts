/**
 * What the rows of Correlation share: whose metrics they ask for, and panels for use, limit and waiting beside each other.
 */
import type { Section } from "./dashboard.ts";
import { timeseries, type Panel, type Query, type TimeseriesOptions } from "./panel.ts";

/** Plimsoll's own metrics carry the run's id. */
export const app = 'job=~"$app", testid=""';
export const host = 'instance=~"$host"';
export const database = 'instance=~"$database"';
export const neighbour = 'instance=~"$neighbour"';

/** A rate over the window, summed by labels. */
export const rate = (series: string, by = ""): string =>
  `sum${by === "" ? "" : ` by (${by})`} (rate(${series}[$__rate_interval]))`;

/** Use, limit and waiting beside each other, a third of the width each. */
export const row = (title: string, panels: readonly Panel[], collapsed = false): Section => ({
  title,
  panels,
  collapsed,
});

export function graph(
  title: string,
  description: string,
  unit: string,
  queries: readonly Query[],
  more: Partial<TimeseriesOptions> = {},
): Panel {
  return timeseries({ title, description, unit, queries, min: 0, ...more });
}
