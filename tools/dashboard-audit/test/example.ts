/**
 * A dashboard that has every panel type, variable type and transformation the audit knows, on what Prometheus says of
 * itself. Nothing is wrong with it.
 */
type Json = Record<string, unknown>;

const datasource = { type: "prometheus", uid: "${datasource}" };
const numberType = { conversions: [{ targetField: "Started", destinationType: "time" }] };
const windowOf = (field: string, reducer: string) => ({
  mode: "windowFunctions",
  alias: reducer,
  window: { field, reducer, windowAlignment: "trailing", windowSize: 20, windowSizeMode: "fixed" },
});

let nextId = 1;

function panel(type: string, title: string, unit: string, exprs: Json[], rest: Json = {}): Json {
  const { overrides = [], defaults = {}, ...other } = rest;
  return {
    id: nextId,
    type,
    title,
    datasource,
    gridPos: { x: (nextId++ % 2) * 12, y: Math.floor(nextId / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit, ...(defaults as Json) }, overrides },
    targets: exprs.map((target, index) => ({ refId: "ABC"[index], datasource, ...target })),
    ...other,
  };
}

const requests = "prometheus_http_requests_total";
const duration = "prometheus_http_request_duration_seconds";
const byHandler = (metric: string) => ({
  expr: `sum by (handler) (${metric}{job="$job"})`,
  format: "table",
  instant: true,
});

const charts = [
  panel(
    "timeseries",
    "Requests per second",
    "reqps",
    [
      {
        expr: `sum by (handler) (rate(${requests}{job=~"$jobs"}[$__rate_interval]))`,
        legendFormat: "{{handler}}",
      },
      { expr: `sum(rate(${requests}[$window]))`, legendFormat: "all" },
    ],
    {
      overrides: [
        override("byName", "all", { "custom.lineWidth": 2, color: { mode: "fixed" } }),
        override("byRegexp", "/^.api/", { "custom.fillOpacity": 10 }),
        override("byFrameRefID", "B", { "custom.axisPlacement": "right" }),
      ],
      options: { legend: { showLegend: true, displayMode: "table", calcs: ["max"] } },
    },
  ),
  panel("timeseries", "95th percentile", "s", [
    {
      expr: `histogram_quantile(0.95, sum(rate(${duration}[$__rate_interval])))`,
      legendFormat: "p95",
    },
  ]),
  panel(
    "timeseries",
    "A second before",
    "s",
    [{ expr: "time() - process_start_time_seconds", legendFormat: "age" }],
    {
      timeShift: "1s",
      timeFrom: "5s",
    },
  ),
  panel("stat", "Memory", "bytes", [
    { expr: "process_resident_memory_bytes", legendFormat: "memory" },
  ]),
  panel("bargauge", "Handlers", "short", [
    { expr: `topk(3, sum by (handler) (${requests}))`, legendFormat: "{{handler}}", instant: true },
  ]),
  panel("heatmap", "Native", "s", [{ expr: `sum(rate(${duration}[10s]))`, format: "heatmap" }], {
    options: { yAxis: { unit: "s" } },
  }),
  panel(
    "heatmap",
    "Classic",
    "s",
    [{ expr: `sum by (le) (rate(${duration}_bucket[10s]))`, format: "heatmap" }],
    {
      options: { yAxis: { unit: "s" } },
    },
  ),
  {
    ...panel("text", "About", "", []),
    options: { mode: "markdown", content: "Job **$job** of $place, $note" },
  },
];

const tables = [
  panel(
    "table",
    "By handler",
    "short",
    [byHandler(requests), byHandler(`${duration}_sum`), byHandler(`${duration}_count`)],
    {
      transformations: [
        { id: "joinByField", options: { byField: "handler", mode: "outer" } },
        {
          id: "organize",
          options: {
            renameByName: {
              handler: "Handler",
              "Value #A": "Requests",
              "Value #B": "Time",
              "Value #C": "Count",
            },
            excludeByName: { "Time 1": true, "Time 2": true, "Time 3": true },
          },
        },
        { id: "calculateField", options: windowOf("Requests", "mean") },
        { id: "calculateField", options: windowOf("Requests", "stdDev") },
        { id: "sortBy", options: { sort: [{ field: "Requests", desc: true }] } },
        {
          id: "filterByValue",
          options: {
            type: "include",
            match: "any",
            filters: [{ fieldName: "Requests", config: { id: "greater", options: { value: 0 } } }],
          },
        },
      ],
      overrides: [
        override("byName", "Time", { unit: "s" }),
        override("byName", "Handler", {
          links: [
            { title: "Look", url: "/d/x?handler=${__data.fields.Handler}&${__url_time_range}" },
          ],
        }),
      ],
    },
  ),
  panel(
    "table",
    "Starts",
    "",
    [{ expr: "process_start_time_seconds * 1000", format: "table", instant: true }],
    {
      transformations: [
        {
          id: "organize",
          options: {
            renameByName: { Value: "Started" },
            excludeByName: { Time: true },
          },
        },
        { id: "convertFieldType", options: numberType },
      ],
      overrides: [override("byName", "Started", { unit: "dateTimeAsIso" })],
    },
  ),
  panel("table", "Merged", "short", [byHandler(requests), byHandler(`${duration}_count`)], {
    transformations: [
      { id: "merge", options: {} },
      {
        id: "groupBy",
        options: {
          fields: {
            handler: { operation: "groupby" },
            "Value #A": { operation: "aggregate", aggregations: ["sum"] },
          },
        },
      },
      { id: "organize", options: { renameByName: { "Value #A (sum)": "Requests" } } },
    ],
  }),
  panel("table", "Courses", "reqps", [{ expr: `sum by (handler) (rate(${requests}[10s]))` }], {
    transformations: [
      { id: "timeSeriesTable", options: {} },
      { id: "organize", options: { renameByName: { "Trend #A": "Course" } } },
    ],
    overrides: [override("byName", "Course", { "custom.cellOptions": { type: "sparkline" } })],
  }),
  panel("table", "Rows", "short", [{ expr: "up", legendFormat: "{{job}}" }], {
    transformations: [
      { id: "seriesToRows", options: {} },
      { id: "organize", options: { renameByName: { Value: "Up" } } },
    ],
  }),
  panel("table", "Labels", "short", [{ expr: "up", legendFormat: "up" }], {
    transformations: [
      { id: "labelsToFields", options: { mode: "columns" } },
      { id: "merge", options: {} },
    ],
  }),
];

function override(id: string, options: string, properties: Json): Json {
  const list = Object.entries(properties).map(([property, value]) => ({ id: property, value }));
  return { matcher: { id, options }, properties: list };
}

export const example = {
  __inputs: [{ name: "DS_PROMETHEUS", type: "datasource", pluginId: "prometheus" }],
  title: "Example",
  uid: "example",
  schemaVersion: 41,
  time: { from: "now-5m", to: "now" },
  panels: [
    ...charts,
    {
      id: 100,
      type: "row",
      title: "Tables",
      collapsed: true,
      gridPos: { x: 0, y: 100, w: 24, h: 1 },
      panels: tables,
    },
  ],
  templating: {
    list: [
      { name: "datasource", type: "datasource", query: "prometheus" },
      variable("job", { query: { query: "label_values(up, job)", refId: "job" } }),
      variable("jobs", {
        query: "query_result(count by (job) (up))",
        regex: '/job="([^"]+)"/',
        multi: true,
        includeAll: true,
        current: { text: ["All"], value: ["$__all"] },
      }),
      { name: "window", type: "interval", query: "10s,1m", current: { text: "10s", value: "10s" } },
      {
        name: "place",
        type: "custom",
        query: "here,there",
        current: { text: "here", value: "here" },
      },
      { name: "note", type: "textbox", query: "well" },
      { name: "unused", type: "constant", query: "1" },
    ],
  },
  annotations: {
    list: [
      { builtIn: 1, name: "Annotations & Alerts", enable: true, type: "dashboard" },
      {
        name: "Scraped",
        enable: true,
        iconColor: "green",
        datasource,
        expr: 'up{job="$job"}',
        step: "2s",
        titleFormat: "{{instance}}",
      },
    ],
  },
};

function variable(name: string, rest: Json): Json {
  return { name, type: "query", datasource, refresh: 2, ...rest };
}
