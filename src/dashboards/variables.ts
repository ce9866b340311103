/**
 * The variables of the dashboards, under the same names everywhere, so that a link carries them along.
 *
 * `$testid` is a run, `$test` a test; `$app`, `$host` and `$database` narrow down what the run's system is made of.
 */
import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import { dataSource } from "./panel.ts";

export type Variable = Builder<VariableModel>;

/** The name under which Grafana asks for the data source when a dashboard is imported. */
export const dataSourceInput = "DS_PROMETHEUS";

/** Every dashboard has it first. */
export function dataSourceVariable(): Variable {
  const current = `\${${dataSourceInput}}`;
  return new DatasourceVariableBuilder("datasource")
    .label("Data source")
    .type("prometheus")
    .current({ text: current, value: current });
}

export interface LabelVariableOptions {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** What Grafana's Prometheus data source understands, e.g. `label_values(up, job)`. */
  readonly query: string;
  /** Several at once, and all of them at first. Default false. */
  readonly multiple?: boolean;
  /** Default: by name. */
  readonly sort?: VariableSort;
  readonly regex?: string;
  readonly hidden?: boolean;
}

/** Asked again whenever the time range changes: runs and hosts come and go. */
export function labelVariable(options: LabelVariableOptions): Variable {
  const { name, label, description, query, multiple = false, hidden = false } = options;
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(dataSource)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(options.sort ?? VariableSort.AlphabeticalAsc);
  if (options.regex !== undefined) builder.regex(options.regex);
  if (hidden) builder.hide(VariableHide.HideVariable);
  if (multiple) {
    builder.multi(true).includeAll(true).allValue(".*").current({ text: "All", value: "$__all" });
  }
  return builder;
}

export function testVariable(): Variable {
  return labelVariable({
    name: "test",
    label: "Test",
    description: "The test's name: `--test`, by default the script's file name.",
    query: "label_values(plimsoll_run_info, test)",
    multiple: true,
  });
}

/** For `regex`: the value of the one label of each of a query's results. */
export const firstLabel = '/="([^"]+)"/';

/** One run of the chosen tests; the newest first, so that it is chosen at first. */
export function runVariable(): Variable {
  return labelVariable({
    name: "testid",
    label: "Run",
    description: "The run's id: `--testid`.",
    query:
      'query_result(sort_desc(max by (testid) (last_over_time(plimsoll_run_start_time_seconds{test=~"$test"}[$__range]))))',
    regex: firstLabel,
    sort: VariableSort.Disabled,
  });
}

/** The run with which a link came to a dashboard that chooses others: those begin with it, or with its test. */
export function linkedRunVariable(): Variable {
  return new TextBoxVariableBuilder("testid")
    .label("Linked run")
    .description("The run that a link came from.")
    .defaultValue("")
    .current({ text: "", value: "" })
    .hide(VariableHide.HideVariable);
}

/** What the histograms of trends are made of; see docs/metrics.md. */
export function histogramVariable(): Variable {
  return new CustomVariableBuilder("histogram")
    .label("Histograms")
    .description("Native ones, or classic ones where the store has no native ones.")
    .values("native : _seconds, classic : _seconds_bucket")
    .options([
      { text: "native", value: "_seconds", selected: true },
      { text: "classic", value: "_seconds_bucket", selected: false },
    ])
    .current({ text: "native", value: "_seconds" });
}

/** The applications, hosts and databases of the system under test. */
export function systemVariables(): readonly Variable[] {
  return [
    labelVariable({
      name: "app",
      label: "Application",
      description: "Scrape jobs of the application under test.",
      query: "label_values(http_server_request_duration_seconds_count, job)",
      multiple: true,
    }),
    labelVariable({
      name: "host",
      label: "Host",
      description: "Instances of node_exporter on the hosts of the system under test.",
      query: "label_values(node_uname_info, instance)",
      multiple: true,
    }),
    labelVariable({
      name: "database",
      label: "Database",
      description: "Instances of the database's exporter.",
      query: "label_values(pg_up, instance)",
      multiple: true,
    }),
  ];
}
