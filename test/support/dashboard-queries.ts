/**
 * Asks a store what a dashboard would ask it: its own queries, with its own variables, as Grafana's Prometheus data
 * source puts the two together.
 *
 * Source: Grafana's manual, "Prometheus template variables" and "Prometheus query editor" (`$__rate_interval`).
 */
import type { DashboardFile } from "../../src/dashboards/dashboard.ts";
import type { QueryResult, RangeResult } from "./query-api.ts";
import type { MetricsStore } from "./prometheus.ts";
import { transformed } from "./transformed.ts";

/** What somebody has before their eyes. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
  /** Values of variables that were chosen or came with a link. Others are what Grafana takes at first. */
  readonly chosen?: Readonly<Record<string, string>>;
  /** The data source's scrape interval. Default 15 s, Grafana's. */
  readonly scrapeSeconds?: number;
}

export interface PanelQuery {
  readonly panel: string;
  readonly refId: string;
  readonly expr: string;
  readonly isInstant: boolean;
  readonly legend: string;
  /** Of its panel: the least step in seconds, and the most points. */
  readonly minStepSeconds: number;
  readonly maxDataPoints: number;
}

type Resolution = Pick<PanelQuery, "minStepSeconds" | "maxDataPoints">;

/** Of a panel that asks for none: the view's scrape interval, and the width of a panel in points, about. */
const anyResolution: Resolution = { minStepSeconds: 0, maxDataPoints: 1_000 };

export class OpenDashboard {
  readonly queries: readonly PanelQuery[];
  readonly #panels: readonly PanelFile[];
  readonly #store: MetricsStore;
  readonly #view: View;
  readonly #values = new Map<string, string>();
  readonly #options = new Map<string, readonly string[]>();

  private constructor(dashboard: DashboardFile, store: MetricsStore, view: View) {
    this.#store = store;
    this.#view = view;
    const top = (dashboard.panels ?? []) as readonly PanelFile[];
    this.#panels = top.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
    this.queries = [...panelQueries(this.#panels), ...annotationQueries(dashboard)];
  }

  /** Resolves the variables, each with those before it. */
  static async open(
    dashboard: DashboardFile,
    store: MetricsStore,
    view: View,
  ): Promise<OpenDashboard> {
    const opened = new OpenDashboard(dashboard, store, view);
    for (const variable of dashboard.templating?.list ?? []) {
      await opened.#resolve(variable as VariableFile);
    }
    return opened;
  }

  value(variable: string): string {
    const value = this.#values.get(variable);
    if (value === undefined) throw new Error(`the dashboard has no variable ${variable}`);
    return value;
  }

  /** What a variable can be chosen to be, in the order in which Grafana shows it. */
  options(variable: string): readonly string[] {
    return this.#options.get(variable) ?? [];
  }

  query(panel: string, refId: string): PanelQuery {
    const found = this.queries.find((query) => query.panel === panel && query.refId === refId);
    if (!found) throw new Error(`no query ${refId} in a panel ${JSON.stringify(panel)}`);
    return found;
  }

  /** At the end of the time range. */
  async ask(panel: string, refId: string): Promise<QueryResult[]> {
    const query = this.query(panel, refId);
    const { toMs } = this.#view;
    return await this.#store.query(this.interpolate(query.expr, query), toMs / 1_000);
  }

  /** Over the time range. */
  async askRange(panel: string, refId: string): Promise<RangeResult[]> {
    const query = this.query(panel, refId);
    const step = this.#intervalSeconds(query);
    // Grafana begins at a multiple of the step.
    const from = Math.floor(this.#view.fromMs / 1_000 / step) * step;
    const to = Math.floor(this.#view.toMs / 1_000 / step) * step;
    return await this.#store.queryRange(this.interpolate(query.expr, query), from, to, step);
  }

  /** A table's or chart's rows, as its transformations leave them. */
  async rows(panel: string): Promise<Map<string, string | number>[]> {
    const file = this.#panels.find(({ title }) => title === panel);
    if (!file) throw new Error(`no panel ${JSON.stringify(panel)}`);
    const answers = [];
    for (const { refId } of file.targets ?? []) {
      answers.push({ refId, results: await this.ask(panel, refId) });
    }
    return transformed(answers, file.transformations ?? []);
  }

  /** How many series the query gives, asked as its panel asks it. */
  async count({ panel, refId, isInstant }: PanelQuery): Promise<number> {
    const results = await (isInstant ? this.ask(panel, refId) : this.askRange(panel, refId));
    return results.length;
  }

  /** @param resolution Of the query that it is for. Default: that of a panel which asks for none. */
  interpolate(text: string, resolution: Resolution = anyResolution): string {
    return text.replaceAll(
      /\$([a-z_]\w*)|\$\{(\w+)(?::\w+)?\}/gi,
      (_, plain?: string, braced?: string) => {
        const name = plain ?? braced ?? "";
        return this.#builtIn(name, resolution) ?? this.value(name);
      },
    );
  }

  #intervalSeconds({ minStepSeconds, maxDataPoints }: Resolution): number {
    const { fromMs, toMs, scrapeSeconds = 15 } = this.#view;
    const step = Math.ceil((toMs - fromMs) / 1_000 / maxDataPoints);
    return Math.max(minStepSeconds || scrapeSeconds, step);
  }

  #builtIn(name: string, resolution: Resolution): string | undefined {
    const { fromMs, toMs, scrapeSeconds = 15 } = this.#view;
    const interval = this.#intervalSeconds(resolution);
    const range = Math.round((toMs - fromMs) / 1_000);
    switch (name) {
      case "__interval":
        return `${interval}s`;
      case "__interval_ms":
        return `${interval * 1_000}`;
      case "__rate_interval":
        return `${Math.max(interval + scrapeSeconds, 4 * scrapeSeconds)}s`;
      case "__range":
        return `${range}s`;
      case "__range_s":
        return `${range}`;
      default:
        return undefined;
    }
  }

  async #resolve({ name, type, query, regex, sort, includeAll, current }: VariableFile) {
    if (type === "datasource") return;
    if (type !== "query") {
      const first = typeof current?.value === "string" ? current.value : "";
      this.#values.set(name, this.#view.chosen?.[name] ?? first);
      return;
    }
    const text = this.interpolate(typeof query === "object" ? query.query : String(query));
    const options = optionsOf(await this.#find(text), regex);
    // 1 and 2: by name, up and down. 0: as they come.
    if (sort === 1 || sort === 2) options.sort();
    if (sort === 2) options.reverse();
    this.#options.set(name, options);
    const wanted = this.#view.chosen?.[name];
    if (wanted !== undefined && !options.includes(wanted)) {
      throw new Error(`${name} cannot be ${wanted}, but one of ${options.join(", ")}`);
    }
    this.#values.set(name, wanted ?? (includeAll ? ".*" : (options[0] ?? "")));
  }

  async #find(text: string): Promise<string[]> {
    const result = /^query_result\((.*)\)$/s.exec(text)?.[1];
    if (result !== undefined) {
      const { toMs } = this.#view;
      const found = await this.#store.query(result, toMs / 1_000);
      return found.map(({ metric: { __name__ = "", ...labels }, value }) => {
        const pairs = Object.entries(labels).map(([label, of]) => `${label}="${of}"`);
        return `${__name__}{${pairs.join(",")}} ${value} ${toMs}`;
      });
    }
    const [, selector = "", label = ""] = /^label_values\((.*),\s*(\w+)\)$/s.exec(text) ?? [];
    if (label === "") throw new Error(`not a query of a variable: ${text}`);
    const parameters = new URLSearchParams({
      "match[]": selector,
      start: String(this.#view.fromMs / 1_000),
      end: String(this.#view.toMs / 1_000),
    });
    const url = `${this.#store.url}/api/v1/label/${label}/values?${parameters.toString()}`;
    const { data }: { data: string[] } = JSON.parse(await (await fetch(url)).text());
    return data;
  }
}

/** What of a variable's JSON is read here. */
interface VariableFile {
  readonly name: string;
  readonly type: string;
  readonly query?: string | { readonly query: string };
  readonly regex?: string;
  readonly sort?: number;
  readonly includeAll?: boolean;
  readonly current?: { readonly value?: string | readonly string[] };
}

/** What of a panel's JSON is read here. */
interface PanelFile {
  readonly title?: string;
  readonly panels?: readonly PanelFile[];
  readonly targets?: readonly TargetFile[];
  /** In seconds here, e.g. `5s`. */
  readonly interval?: string;
  readonly maxDataPoints?: number;
  readonly transformations?: readonly { readonly id: string; readonly options?: unknown }[];
}

interface TargetFile {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly legendFormat?: string;
}

function panelQueries(panels: readonly PanelFile[]): PanelQuery[] {
  return panels.flatMap(({ title = "", targets = [], interval, maxDataPoints }) =>
    targets.map(({ refId, expr, instant = false, legendFormat = "" }) => ({
      panel: title,
      refId,
      expr,
      isInstant: instant,
      legend: legendFormat,
      minStepSeconds: interval === undefined ? 0 : secondsOf(interval),
      maxDataPoints: maxDataPoints ?? anyResolution.maxDataPoints,
    })),
  );
}

function secondsOf(interval: string): number {
  const seconds = /^(\d+)s$/.exec(interval)?.[1];
  if (seconds === undefined) throw new Error(`${interval} is not in seconds`);
  return Number(seconds);
}

/** As a panel of the name `Annotations`, by their names. */
function annotationQueries(dashboard: DashboardFile): PanelQuery[] {
  const list = (dashboard.annotations?.list ?? []) as readonly {
    readonly name: string;
    readonly expr?: string;
  }[];
  return list.flatMap(({ name, expr }) =>
    expr === undefined
      ? []
      : [
          {
            ...anyResolution,
            panel: "Annotations",
            refId: name,
            expr,
            isInstant: false,
            legend: name,
          },
        ],
  );
}

/** The group `value`, or the first one, of each text that matches; each once. */
function optionsOf(texts: readonly string[], regex: string = ""): string[] {
  if (regex === "") return [...new Set(texts)];
  const [, pattern = "", flags = ""] = /^\/(.*)\/(\w*)$/s.exec(regex) ?? [];
  const found = texts.flatMap((text) => {
    const match = new RegExp(pattern, flags).exec(text);
    return match ? [match.groups?.["value"] ?? match[1] ?? match[0]] : [];
  });
  return [...new Set(found)];
}
