/**
 * What Grafana would find in provisioning/ and dashboards/, held to what it reads there.
 *
 * Grafana ignores a key that it does not know and skips what does not fit, in its log. The schemas have the keys of its
 * `pkg/services/provisioning/{datasources,dashboards,alerting}` and refuse all others.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");

/** All files of a folder of provisioning/grafana, parsed. */
function provisioned<T>(folder: string, schema: z.ZodType<T>): T[] {
  const names = readdirSync(join(root, "provisioning/grafana", folder));
  expect(names.length).toBeGreaterThan(0);
  return names.map((name) => {
    expect(name).toMatch(/\.yml$/);
    return schema.parse(parse(read("provisioning/grafana", folder, name)));
  });
}

const duration = z.string().regex(/^\d+(ms|[smhdwy])$/);

const datasourceFile = z.strictObject({
  apiVersion: z.literal(1),
  datasources: z.array(
    z.strictObject({
      name: z.string(),
      uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
      type: z.literal("prometheus"),
      access: z.literal("proxy"),
      url: z.url(),
      isDefault: z.boolean().default(false),
      editable: z.boolean(),
      jsonData: z.strictObject({
        timeInterval: duration,
        httpMethod: z.enum(["GET", "POST"]),
        prometheusType: z.enum(["Prometheus", "Cortex", "Mimir", "Thanos"]),
        prometheusVersion: z.string().optional(),
        cacheLevel: z.enum(["Low", "Medium", "High", "None"]).optional(),
        incrementalQuerying: z.boolean().optional(),
      }),
    }),
  ),
});

const dashboardFile = z.strictObject({
  apiVersion: z.literal(1),
  providers: z.array(
    z.strictObject({
      name: z.string(),
      type: z.literal("file"),
      folder: z.string(),
      folderUid: z.string(),
      allowUiUpdates: z.boolean(),
      disableDeletion: z.boolean(),
      updateIntervalSeconds: z.int(),
      options: z.strictObject({ path: z.string() }),
    }),
  ),
});

const annotations = z.strictObject({ summary: z.string(), description: z.string() });

const alertFile = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(
    z.strictObject({
      orgId: z.literal(1),
      name: z.string(),
      folder: z.string(),
      interval: duration,
      rules: z.array(
        z.strictObject({
          uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
          title: z.string(),
          condition: z.string(),
          for: duration,
          noDataState: z.enum(["NoData", "Alerting", "OK", "KeepLast"]),
          execErrState: z.enum(["Error", "Alerting", "OK", "KeepLast"]),
          labels: z.record(z.string(), z.string()),
          annotations,
          data: z.tuple([
            z.strictObject({
              refId: z.string(),
              relativeTimeRange: z.strictObject({ from: z.int(), to: z.int() }),
              datasourceUid: z.string(),
              model: z.strictObject({
                refId: z.string(),
                instant: z.literal(true),
                range: z.literal(false),
                expr: z.string(),
              }),
            }),
            z.strictObject({
              refId: z.string(),
              datasourceUid: z.literal("__expr__"),
              model: z.strictObject({
                refId: z.string(),
                type: z.literal("threshold"),
                expression: z.string(),
                conditions: z.tuple([
                  z.strictObject({
                    evaluator: z.strictObject({
                      type: z.literal("gt"),
                      params: z.tuple([z.number()]),
                    }),
                  }),
                ]),
              }),
            }),
          ]),
        }),
      ),
    }),
  ),
});

const ruleFile = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          expr: z.string(),
          for: z.string().default("0s"),
          labels: z.record(z.string(), z.string()),
          annotations: annotations.optional(),
        }),
      ),
    }),
  ),
});

interface ComposeService {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}
const services: Readonly<Record<string, ComposeService>> = parse(read("docker-compose.yml"), {
  merge: true,
}).services;

/** Where a path inside a container comes from in the project. */
function mountedPath(service: string, path: string): string | undefined {
  for (const [source = "", target = ""] of (services[service]?.volumes ?? []).map((volume) =>
    volume.split(":"),
  )) {
    if (path === target || path.startsWith(`${target}/`)) return source + path.slice(target.length);
  }
  return undefined;
}

const datasources = provisioned("datasources", datasourceFile).flatMap((file) => file.datasources);
const providers = provisioned("dashboards", dashboardFile).flatMap((file) => file.providers);
const alertGroups = provisioned("alerting", alertFile).flatMap((file) => file.groups);
const alerts = alertGroups.flatMap((group) => group.rules);
const dashboardNames = readdirSync(join(root, "dashboards"));

describe("Grafana's data sources", () => {
  it("have one default, and each a uid and a name of its own", () => {
    expect(datasources.filter(({ isDefault }) => isDefault).map(({ uid }) => uid)).toEqual([
      "prometheus",
    ]);
    expect(new Set(datasources.map(({ uid }) => uid)).size).toBe(datasources.length);
    expect(new Set(datasources.map(({ name }) => name)).size).toBe(datasources.length);
  });

  it("begin with the default, by name, because a dashboard's variable does", () => {
    const names = datasources
      .map(({ name }) => name.toLowerCase())
      .toSorted((a, b) => (a < b ? -1 : 1));
    expect(names[0]).toBe("prometheus");
  });

  it("are services of docker-compose.yml", () => {
    for (const { url } of datasources)
      expect(Object.keys(services)).toContain(new URL(url).hostname);
  });

  it("ask at the interval at which the stack scrapes", () => {
    const { global } = parse(read("provisioning/prometheus/prometheus.yml"));
    for (const { jsonData } of datasources)
      expect(jsonData.timeInterval).toBe(global.scrape_interval);
  });
});

describe("Grafana's dashboards", () => {
  it("are read from the folder that docker-compose.yml mounts", () => {
    expect(providers.map(({ options }) => mountedPath("grafana", options.path))).toEqual([
      "./dashboards",
    ]);
    expect(mountedPath("grafana", "/etc/grafana/provisioning")).toBe("./provisioning/grafana");
  });

  it("have the list of runs as their home", () => {
    const home = services["grafana"]?.environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    const file = mountedPath("grafana", home ?? "") ?? "";
    expect(existsSync(join(root, file)), `${file} is made by npm run dashboards`).toBe(true);
    expect(JSON.parse(read(file)).uid).toBe("plimsoll-runs");
  });

  it.each(dashboardNames)("need no import to find their data source: %s", (name) => {
    const dashboard = JSON.parse(read("dashboards", name));
    expect(dashboard.uid).toBe(`plimsoll-${basename(name, ".json")}`);
    const variable = dashboard.templating.list.find(
      (entry: { name: string }) => entry.name === "datasource",
    );
    expect(variable).toMatchObject({ type: "datasource", query: "prometheus" });
    // Of `__inputs`, which file provisioning leaves as it is, only the variable's value may come: Grafana replaces one
    // that is no data source by the first that is.
    const { __inputs, ...rest } = dashboard;
    const { current, ...otherwise } = variable;
    expect(JSON.stringify({ ...rest, templating: otherwise })).not.toContain("${DS_");
    expect(Object.values(current)).not.toContain("default");
  });
});

describe("Grafana's alert rules", () => {
  it("have titles and uids of their own, and a folder of their own", () => {
    expect(alerts.length).toBeGreaterThan(0);
    expect(new Set(alerts.map(({ uid }) => uid)).size).toBe(alerts.length);
    // Alerts find their folder by its title and dashboards by its uid: neither finds the other's, and no version of
    // Grafana makes a second one of a title without complaint.
    const folders = new Set(providers.map(({ folder }) => folder));
    for (const { folder } of alertGroups) expect(folders).not.toContain(folder);
  });

  it.each(alerts)(
    "$title: asks a data source that is there, and fires for each answer",
    (alert) => {
      const [query, condition] = alert.data;
      expect(datasources.map(({ uid }) => uid)).toContain(query.datasourceUid);
      expect(query.model.refId).toBe(query.refId);
      expect(condition.model.refId).toBe(condition.refId);
      expect(condition.model.expression).toBe(query.refId);
      expect(alert.condition).toBe(condition.refId);
      // "${…}" would be taken for a variable of Grafana's environment.
      expect(JSON.stringify(alert.annotations)).not.toContain("${");
    },
  );

  it("are those of Prometheus' group plimsoll-runs, word for word", () => {
    const { groups } = ruleFile.parse(parse(read("provisioning/prometheus/rules/alerts.yml")));
    const rules = groups
      .filter(({ name }) => name === "plimsoll-runs")
      .flatMap((group) => group.rules);
    const inGrafana = alerts.map(({ title, for: pending, labels, annotations: texts, data }) => ({
      alert: title,
      expr: data[0].model.expr,
      for: pending,
      labels,
      annotations: {
        description: texts.description,
        // Prometheus gives the query's value, Grafana that of each refId.
        summary: texts.summary.replace("$values.query.Value", "$value"),
      },
    }));
    expect(inGrafana).toEqual(rules);
  });
});
