/**
 * One dashboard out of its sections: the frame that all of them share, places and ids for the panels, and the form in
 * which Grafana imports it.
 *
 * In:  variables, annotations, sections of panels.
 * Out: a dashboard of schema version 1 as plain data, with `__inputs` for its data source and no id of its own.
 */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
  type AnnotationQuery,
  type Dashboard,
  type Panel as PanelModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Panel } from "./panel.ts";
import { dataSourceInput, dataSourceVariable, type Variable } from "./variables.ts";

/** Columns of Grafana's grid. */
const gridColumns = 24;

/** The oldest Grafana whose panels and transformations have what we use, such as window functions over fields. */
const oldestGrafana = "11.2.0";

/** Panels under one heading; a section without a title stands on top. */
export interface Section {
  readonly title?: string;
  /** Folded at first; its queries are asked when somebody opens it. Default false. */
  readonly collapsed?: boolean;
  readonly panels: readonly Panel[];
}

export interface DashboardOptions {
  /** The file's name and, after `plimsoll-`, the uid. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Beside the data source's. */
  readonly variables: readonly Variable[];
  readonly annotations?: readonly Builder<AnnotationQuery>[];
  readonly sections: readonly Section[];
  /** The time range at first. Default: the last hour. */
  readonly from?: string;
  /** How often it is asked again, e.g. `5s`. Default: never. */
  readonly refresh?: string;
  /** Links beside those to the dashboards of one run. Default: to Compare and History, with the run that is shown. */
  readonly links?: readonly DashboardLinkBuilder[];
}

/** On the dashboards whose variables have the same names: a link between two of them carries everything that is chosen. */
const sameVariables = "plimsoll-run";

/** A dashboard as its file has it. */
export interface DashboardFile extends Dashboard {
  readonly __inputs: readonly Readonly<Record<string, string>>[];
  readonly __requires: readonly Readonly<Record<string, string>>[];
}

export function dashboard(options: DashboardOptions): DashboardFile {
  const { name, title, description, variables, annotations = [], sections, links } = options;
  const builder = new DashboardBuilder(`Plimsoll / ${title}`)
    .uid(`plimsoll-${name}`)
    .description(description)
    .tags(["plimsoll", ...(links ? [] : [sameVariables])])
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: options.from ?? "now-1h", to: "now" })
    .refresh(options.refresh ?? "")
    .editable()
    .variables([dataSourceVariable(), ...variables])
    .annotations([...annotations])
    .link(
      new DashboardLinkBuilder("Plimsoll")
        .type(DashboardLinkType.Dashboards)
        .tags([sameVariables])
        .includeVars(!links)
        .keepTime(!links),
    );
  for (const link of links ?? linksOfRun(variables)) builder.link(link);
  const place = placer();
  for (const section of sections) {
    if (section.title === undefined) {
      for (const panel of section.panels) builder.withPanel(built(place(panel)));
      continue;
    }
    const row = new RowBuilder(section.title)
      .collapsed(section.collapsed ?? false)
      .id(place.nextId())
      .gridPos({ x: 0, y: place.nextLine(), w: gridColumns, h: 1 });
    const panels = section.panels.map((panel) => built(place(panel)));
    // Grafana keeps the panels of a folded row inside of it, and those of an open one behind it.
    if (section.collapsed) for (const panel of panels) row.withPanel(panel);
    builder.withRow(row);
    if (!section.collapsed) for (const panel of panels) builder.withPanel(panel);
  }
  const model = { ...builder.build(), schemaVersion: 41, version: 1 };
  return { __inputs: inputs, __requires: requires(model.panels ?? []), ...model };
}

/** A link to another dashboard that carries the data source. */
export function linkTo(title: string, name: string, parameters: string = ""): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/plimsoll-${name}?\${datasource:queryparam}${parameters}`);
}

/** To those that have other variables: they take a run's id, and find its test by it. */
function linksOfRun(variables: readonly Variable[]): DashboardLinkBuilder[] {
  const hasRun = variables.some((variable) => variable.build().name === "testid");
  const run = hasRun ? "&var-testid=${testid:percentencode}" : "";
  return [linkTo("Compare", "compare", run).keepTime(true), linkTo("History", "history", run)];
}

const inputs = [
  {
    name: dataSourceInput,
    label: "Prometheus",
    description: "Where Plimsoll writes to",
    type: "datasource",
    pluginId: "prometheus",
    pluginName: "Prometheus",
  },
];

function requires(panels: NonNullable<Dashboard["panels"]>): Record<string, string>[] {
  const all = panels.flatMap((panel) => ("panels" in panel ? panel.panels : [panel]));
  const types = [...new Set(all.map(({ type }) => type))].toSorted();
  return [
    { type: "grafana", id: "grafana", name: "Grafana", version: oldestGrafana },
    { type: "datasource", id: "prometheus", name: "Prometheus", version: "1.0.0" },
    ...types.map((id) => ({ type: "panel", id, name: id, version: "" })),
  ];
}

interface Placer {
  /** The panel with its id and its place: beside the last one where there is room, else below. */
  (panel: Panel): PanelModel;
  nextId(): number;
  /** Takes a line for a row's heading. */
  nextLine(): number;
}

function placer(): Placer {
  let id = 0;
  let x = 0;
  let y = 0;
  let lineHeight = 0;
  const breakLine = (): void => {
    y += lineHeight;
    x = 0;
    lineHeight = 0;
  };
  const nextId = (): number => ++id;
  const place = (panel: Panel): PanelModel => {
    const model = panel.id(nextId()).build();
    const { w = 8, h = 8 } = model.gridPos ?? {};
    if (x + w > gridColumns) breakLine();
    const placed = { ...model, gridPos: { x, y, w, h } };
    x += w;
    lineHeight = Math.max(lineHeight, h);
    return placed;
  };
  const nextLine = (): number => {
    breakLine();
    y += 1;
    return y - 1;
  };
  return Object.assign(place, { nextId, nextLine });
}

const built = <T>(value: T): Builder<T> => ({ build: () => value });
