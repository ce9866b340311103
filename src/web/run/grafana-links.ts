/**
 * Links into Grafana's dashboards, with this run and its time chosen. Pure.
 *
 * Source of the names: `src/dashboards/`: uids `plimsoll-<dashboard>`, variables of `variables.ts`.
 */
import type { RunView } from "../../server/api/run-view.ts";

export interface GrafanaLink {
  readonly name: string;
  readonly url: string;
}

/** Before and after the run, so that its edges are not at the panels' own. */
const marginMs = 30_000;

/** @param grafanaUrl as the server was told; null: it was not */
export function grafanaLinks(
  run: Pick<RunView, "test" | "testid" | "created" | "started" | "ended">,
  grafanaUrl: string | null,
): GrafanaLink[] {
  if (grafanaUrl === null) return [];
  const from = String(Date.parse(run.started ?? run.created) - marginMs);
  // A dashboard of a run that goes on goes on with it.
  const to = run.ended === null ? "now" : String(Date.parse(run.ended) + marginMs);
  const query = new URLSearchParams({ "var-test": run.test, "var-testid": run.testid, from, to });
  const base = grafanaUrl.replace(/\/+$/, "");
  return [
    { name: "Run", url: `${base}/d/plimsoll-run?${query.toString()}` },
    { name: "Correlation", url: `${base}/d/plimsoll-correlation?${query.toString()}` },
  ];
}
