/**
 * Asks a Prometheus what a dashboard asks it: each variable in its order, then each query of each panel and annotation.
 *
 * Does what Grafana does with variables, as far as our dashboards need it. Source: Grafana's documentation,
 * "Global variables", "Variable syntax" and "Prometheus template variables".
 */
import type { DashboardFile } from "../../src/dashboards/dashboard.ts";
import { createQueryApi, type QueryResult, type RangeResult } from "./query-api.ts";

export interface DashboardView {
  /** Of the Prometheus, without `/api/v1`. */
  readonly url: string;
  /** The time range, in Unix seconds. */
  readonly from: number;
  readonly to: number;
  /** What the user chose; the others have their first value, or all. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The data source's scrape interval. Default 5 s. */
  readonly scrapeSeconds?: number;
  /** How many points a panel asks for at most. Default 500, about that of a third of a screen. */
  readonly maxDataPoints?: number;
}

export interface AskedQuery {
  /** The panel's title; of an annotation, its name. */
  readonly panel: string;
  readonly refId: string;
  /** As Prometheus got it. */
  readonly expr: string;
  readonly legend: string;
  /** Of an instant query; empty for one over the range. */
  readonly instant: readonly QueryResult[];
  /** Of a range query; empty for an instant one. */
  readonly range: readonly RangeResult[];
  readonly isAnnotation: boolean;
}

export interface AskedDashboard {
  readonly queries: readonly AskedQuery[];
  /** Of the variables that ask Prometheus: the values to choose from. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The instant results of a panel's query; of its only one, if no `refId` says which. */
  results(panel: string, refId?: string): readonly QueryResult[];
}

/** @throws Error with the query, where Prometheus refuses one */
export async function askDashboard(
  dashboard: DashboardFile,
  view: DashboardView,
): Promise<AskedDashboard> {
  const api = createQueryApi(view.url);
  const { values, chosen } = await askVariables(dashboard, view);
  const queries: AskedQuery[] = [];
  const ask = async (query: DashboardQuery): Promise<void> => {
    const stepSeconds = stepOf(query, view);
    const expr = interpolate(query.expr, { ...chosen, ...globals(view, stepSeconds) });
    const { isInstant, ...rest } = query;
    try {
      queries.push({
        ...rest,
        expr,
        instant: isInstant ? await api.query(expr, view.to) : [],
        range: isInstant ? [] : await api.queryRange(expr, view.from, view.to, stepSeconds),
      });
    } catch (cause) {
      throw new Error(`${query.panel}, ${query.refId}: ${expr}`, { cause });
    }
  };
  for (const query of queriesOf(dashboard)) await ask(query);
  return {
    queries,
    values,
    results: (panel, refId) => {
      const found = queries.filter(
        (query) =>
          query.panel === panel &&
          !query.isAnnotation &&
          (refId === undefined || query.refId === refId),
      );
      if (found.length !== 1) {
        throw new Error(`${found.length} queries of the panel ${panel} are ${refId ?? "there"}`);
      }
      return found[0]?.instant ?? [];
    },
  };
}

type DashboardQuery = Pick<AskedQuery, "panel" | "refId" | "expr" | "legend" | "isAnnotation"> & {
  readonly isInstant: boolean;
  /** The panel's least step. */
  readonly interval: string | undefined;
  readonly maxDataPoints: number | undefined;
};

/** What we use of a Prometheus target. The SDK's type is that of any data source's, without a field. */
interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
}

/** The queries of a dashboard, those in folded rows among them, with their variables in place. */
export function queriesOf(dashboard: DashboardFile): DashboardQuery[] {
  const panels = (dashboard.panels ?? []).flatMap((panel) =>
    "panels" in panel ? panel.panels : "targets" in panel ? [panel] : [],
  );
  const ofPanels = panels.flatMap((panel) =>
    ((panel.targets ?? []) as unknown as readonly Target[]).map((target) => ({
      panel: panel.title ?? "",
      refId: target.refId,
      expr: target.expr,
      legend: target.legendFormat ?? "",
      isInstant: target.instant === true && target.range !== true,
      isAnnotation: false,
      interval: panel.interval,
      maxDataPoints: panel.maxDataPoints,
    })),
  );
  const ofAnnotations = (dashboard.annotations?.list ?? []).flatMap((annotation) =>
    annotation.expr === undefined
      ? []
      : [
          {
            panel: annotation.name,
            refId: "annotation",
            expr: annotation.expr,
            legend: "",
            isInstant: false,
            isAnnotation: true,
            interval: "5s",
            maxDataPoints: undefined,
          },
        ],
  );
  return [...ofPanels, ...ofAnnotations];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query?: string | { readonly query: string };
  readonly regex?: string;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly multi?: boolean;
  readonly sort?: number;
  readonly current?: { readonly value?: string | readonly string[] };
}

async function askVariables(
  dashboard: DashboardFile,
  view: DashboardView,
): Promise<{ values: Map<string, string[]>; chosen: Record<string, string> }> {
  const values = new Map<string, string[]>();
  const chosen: Record<string, string> = {};
  for (const variable of (dashboard.templating?.list ?? []) as readonly Variable[]) {
    const { name, type, query, includeAll, allValue, current } = variable;
    const text = typeof query === "object" ? query.query : (query ?? "");
    if (type === "query") {
      const scope = { ...chosen, ...globals(view, stepOf({}, view)) };
      values.set(name, filtered(await askVariable(interpolate(text, scope), view), variable));
    }
    const wanted = view.variables?.[name];
    if (wanted !== undefined) chosen[name] = wanted;
    else if (includeAll) {
      const all = values.get(name) ?? [];
      chosen[name] = allValue ?? `(${all.map(escapeRegex).join("|")})`;
    } else if (type === "query") chosen[name] = values.get(name)?.[0] ?? "";
    else chosen[name] = [current?.value ?? text].flat().join("|");
  }
  return { values, chosen };
}

/** `label_values(selector, label)`, `label_values(label)` or `query_result(expr)`. */
async function askVariable(query: string, view: DashboardView): Promise<string[]> {
  const [, result] = /^query_result\((.*)\)$/s.exec(query) ?? [];
  if (result !== undefined) {
    const results = await createQueryApi(view.url).query(result, view.to);
    return results.map(({ metric: { __name__ = "", ...labels }, value }) => {
      const pairs = Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
      return `${__name__}{${pairs.join(",")}} ${value} ${view.to * 1_000}`;
    });
  }
  const [, selector, label] = /^label_values\((?:(.*), *)?(\w+)\)$/s.exec(query) ?? [];
  if (label === undefined) throw new Error(`no query of a variable: ${query}`);
  const parameters = new URLSearchParams({
    start: String(view.from),
    end: String(view.to),
    ...(selector !== undefined && { "match[]": selector }),
  });
  const response = await fetch(`${view.url}/api/v1/label/${label}/values?${parameters.toString()}`);
  if (!response.ok) throw new Error(`${query} answers ${await response.text()}`);
  const { data }: { readonly data: string[] } = JSON.parse(await response.text());
  return data;
}

/** What the variable's regex keeps of each text, or its group of the name `value` or the first one; sorted. */
function filtered(texts: readonly string[], { regex = "", sort = 0 }: Variable): string[] {
  const [, pattern, flags] = /^\/(.*)\/(\w*)$/s.exec(regex) ?? [undefined, regex, ""];
  const kept =
    pattern === undefined || pattern === ""
      ? [...texts]
      : texts.flatMap((text) => {
          const match = new RegExp(pattern, flags?.replace("g", "")).exec(text);
          return match ? [match.groups?.["value"] ?? match[1] ?? match[0]] : [];
        });
  const unique = [...new Set(kept)];
  // 1 and 2: by name; 3 and 4: as numbers; the even ones descending.
  if (sort > 0) {
    unique.sort((a, b) => (sort === 3 || sort === 4 ? Number(a) - Number(b) : a < b ? -1 : 1));
    if (sort % 2 === 0) unique.reverse();
  }
  return unique;
}

/** `$name`, `${name}` and `${name:format}`. A name that nobody defined stays, and Prometheus refuses it. */
export function interpolate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (whole, braced?: string, bare?: string) => {
    return values[braced ?? bare ?? ""] ?? whole;
  });
}

function globals({ from, to, scrapeSeconds = 5 }: DashboardView, stepSeconds: number) {
  const rangeSeconds = Math.ceil(to - from);
  const rateSeconds = Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds);
  return {
    __interval: `${stepSeconds}s`,
    __interval_ms: String(stepSeconds * 1_000),
    __rate_interval: `${rateSeconds}s`,
    __range: `${rangeSeconds}s`,
    __range_s: String(rangeSeconds),
    __range_ms: String(rangeSeconds * 1_000),
    __from: String(from * 1_000),
    __to: String(to * 1_000),
  };
}

function stepOf(
  { interval, maxDataPoints }: Partial<Pick<DashboardQuery, "interval" | "maxDataPoints">>,
  view: DashboardView,
): number {
  const { from, to, scrapeSeconds = 5 } = view;
  const [, count, unit = "s"] = /^>?(\d+)(s|m|h)$/.exec(interval ?? "") ?? [];
  const least =
    count === undefined ? scrapeSeconds : Number(count) * { s: 1, m: 60, h: 3_600 }[unit]!;
  return Math.max(least, Math.ceil((to - from) / (maxDataPoints ?? view.maxDataPoints ?? 500)));
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}]/g, String.raw`\\$&`);
}
