import { describe, expect, it } from "vitest";
import { annotation } from "../../../../src/dashboards/annotations.ts";
import { parseRecording, Catalogue } from "../../../../src/dashboards/check/catalogue.ts";
import { checkDashboard, type Checked } from "../../../../src/dashboards/check/check-dashboard.ts";
import { pipelineMetrics } from "../../../../src/dashboards/check/pipeline-metrics.ts";
import { dashboard } from "../../../../src/dashboards/dashboard.ts";
import { named, stat, table, timeseries } from "../../../../src/dashboards/panel.ts";
import { ofRun, perSecond, quantile, share } from "../../../../src/dashboards/promql.ts";
import {
  histogramVariable,
  labelVariable,
  runVariable,
  testVariable,
} from "../../../../src/dashboards/variables.ts";

const recording = `# a test's exporter
pg_up gauge
pg_stat_activity_count gauge datname state
process_start_time_seconds gauge
shop_request_duration_seconds histogram route
node_cpu_seconds_total counter cpu mode
`;

const catalogue = new Catalogue();
for (const entry of [...(await pipelineMetrics()), ...parseRecording(recording)]) {
  catalogue.add(entry);
}

const description = "Shows it. If it is high, look below.";

/** With something of each kind that is checked, as its file has it. */
const good = JSON.stringify(
  dashboard({
    name: "good",
    title: "Good",
    description: "For the tests.",
    variables: [
      testVariable(),
      runVariable(),
      histogramVariable(),
      labelVariable({
        name: "database",
        label: "Database",
        description: "Its exporter.",
        query: "label_values(pg_up, instance)",
        multiple: true,
      }),
    ],
    annotations: [
      annotation({
        name: "Run start",
        expr: `max by (testid) (plimsoll_run_start_time_seconds{${ofRun}}) * 1000`,
        title: "{{testid}} started",
        color: "green",
        tags: "testid",
        atValue: true,
      }),
    ],
    sections: [
      {
        panels: [
          timeseries({
            title: "Latency",
            description,
            unit: "s",
            right: { fields: "/^rate/", unit: "reqps" },
            queries: [
              {
                expr: quantile(0.95, "http_req_duration", ofRun, ["name"]),
                legend: "p95 of {{name}}",
              },
              { expr: perSecond("http_reqs"), legend: "rate" },
            ],
          }),
          stat({
            title: "Failed",
            description,
            unit: "percentunit",
            queries: [{ expr: share("http_req_failed"), legend: "failed" }],
          }),
          stat({
            title: "Begun",
            description,
            unit: "dateTimeAsIso",
            queries: [
              { expr: `max(plimsoll_run_start_time_seconds{${ofRun}}) * 1000`, legend: "begun" },
            ],
          }),
        ],
      },
      {
        title: "Database",
        collapsed: true,
        panels: [
          table({
            title: "Connections",
            description,
            unit: "short",
            queries: [
              {
                expr: 'sum by (state) (pg_stat_activity_count{instance=~"$database"})',
                legend: "now",
                refId: "now",
              },
              {
                expr: 'sum by (state) (pg_stat_activity_count{instance=~"$database"} offset 1h)',
                legend: "before",
                refId: "before",
              },
              // Shown as a date whatever the unit, and not shown at all.
              { expr: "max(process_start_time_seconds) * 1000", legend: "since", refId: "since" },
              { expr: "max(process_start_time_seconds)", legend: "begun", refId: "begun" },
            ],
            transformations: [
              { id: "joinByField", options: { byField: "state" } },
              {
                id: "organize",
                options: {
                  excludeByName: { "Time 1": true, "Time 2": true },
                  renameByName: {
                    "Value #now": "Now",
                    "Value #before": "Before",
                    "Value #since": "Since",
                    "Value #begun": "Begun",
                  },
                },
              },
              {
                id: "convertFieldType",
                options: { conversions: [{ targetField: "Since", destinationType: "time" }] },
              },
            ],
            overrides: [
              named("Now", {
                decimals: 0,
                links: [{ title: "Then", url: "/d/plimsoll-run?to=${__data.fields.Before}" }],
              }),
              named("Begun", { "custom.hidden": true }),
            ],
            sortBy: { field: "Now" },
          }),
        ],
      },
    ],
  }),
);

/** What is found when one text of the good dashboard is another, everywhere. */
function broken(from: string, to: string): readonly string[] {
  expect(good).toContain(from);
  return linesOf(checkDashboard("good", JSON.parse(good.replaceAll(from, to)), catalogue));
}

const linesOf = ({ findings }: Checked): string[] =>
  findings.map(({ place, message }) => `${place}: ${message}`);

it("finds nothing in a dashboard that has what it asks for", () => {
  const checked = checkDashboard("good", JSON.parse(good), catalogue);
  expect(linesOf(checked)).toEqual([]);
  // Two values of $histogram for one query; one and several databases and all of them for two.
  expect(checked.counts).toMatchObject({ panels: 4, metrics: 9, units: 6 });
  expect(checked.expressions.length).toBeGreaterThan(12);
});

describe("a dashboard that is broken on purpose", () => {
  it.each([
    {
      what: "a misspelt metric",
      from: "k6_http_reqs_total",
      to: "k6_http_request_total",
      line: 'good › Latency › B: no metric "k6_http_request_total" (did you mean "k6_http_reqs_total"?)',
    },
    {
      what: "a metric misspelt in one form of the histograms",
      from: '"value":"_seconds_bucket"',
      to: '"value":"_seconds_buckets"',
      line: 'good › Latency › A: no metric "k6_http_req_duration_seconds_buckets" (did you mean',
    },
    {
      what: "a misspelt label of a matcher",
      from: "condition=",
      to: "conditions=",
      line: 'good › Failed › A: no label "conditions" (did you mean "condition"?)',
    },
    {
      what: "a misspelt label of a grouping",
      from: "by (state)",
      to: "by (status)",
      line: 'good › Database › Connections › now: no label "status" (did you mean "state"?)',
    },
    {
      what: "a label of a legend that the aggregation removes",
      from: "{{name}}",
      to: "{{method}}",
      line: 'good › Latency › A: no label "method"; there are name. The answer is named by it',
    },
    {
      what: "a label of an annotation's title",
      from: "{{testid}} started",
      to: "{{test}} started",
      line: 'good › annotation Run start: no label "test"',
    },
    {
      what: "a label of a variable's query",
      from: "label_values(pg_up, instance)",
      to: "label_values(pg_up, instances)",
      line: 'good › variable database: no label "instances" (did you mean "instance"?)',
    },
    {
      what: "an undefined variable",
      from: '\\"$testid\\"',
      to: '\\"$testID\\"',
      line: 'good › Latency › B: no variable "testID" (did you mean "testid"?)',
    },
    {
      what: "an unused variable",
      from: "$database",
      to: ".*",
      line: "good › variable database: nothing names it",
    },
    {
      what: "a variable of several values that is matched with =",
      from: '=~\\"$database\\"',
      to: '=\\"$database\\"',
      line: "good › Database › Connections › now: $database can have several values; match it with =~",
    },
    {
      what: "milliseconds for seconds",
      from: '"unit":"s"',
      to: '"unit":"ms"',
      line: 'good › Latency › A: the unit is "ms", but the values are seconds; expected one of "s"',
    },
    {
      what: "a wrong unit in an override",
      from: '"reqps"',
      to: '"bytes"',
      line: 'good › Latency › B: the unit is "bytes", but the values are a number per second',
    },
    {
      what: "a share shown as seconds",
      from: '"percentunit"',
      to: '"s"',
      line: 'good › Failed › A: the unit is "s", but the values are quotients of like and like',
    },
    {
      what: "a date in seconds",
      from: " * 1000",
      to: "",
      line: 'good › Begun › A: the unit is "dateTimeAsIso", but the values are points in time in seconds; dates are in milliseconds: multiply by 1000',
    },
    {
      what: "a unit that Grafana does not have",
      from: '"percentunit"',
      to: '"percentunits"',
      line: 'good › Failed: unit "percentunits": Grafana has none of that name',
    },
    {
      what: "an unknown transformation",
      from: '"organize"',
      to: '"organise"',
      line: 'good › Database › Connections: unknown transformation "organise" (did you mean "organize"?)',
    },
    {
      what: "a transformation of a field that is not there",
      from: "Value #before",
      to: "Value #after",
      line: 'good › Database › Connections: transformation organize: no field "Value #after"',
    },
    {
      what: "an override that matches nothing",
      from: '"options":"Now"',
      to: '"options":"Soon"',
      line: 'good › Database › Connections: an override matches nothing: no field "Soon"; there are "',
    },
    {
      what: "an override whose pattern matches nothing",
      from: '"/^rate/"',
      to: '"/^requests/"',
      // A legend of labels can become anything, but not this one's beginning.
      line: 'good › Latency: an override matches nothing: no field\'s name matches "/^requests/"',
    },
    {
      what: "a sorting by nothing",
      from: '"displayName":"Now"',
      to: '"displayName":"now"',
      line: 'good › Database › Connections: sorts by what is not there: no field "now"',
    },
    {
      what: "a link that takes a value from a field that is not there",
      from: "__data.fields.Before",
      to: "__data.fields.Earlier",
      line: 'good › Database › Connections: a link takes a value from what is not there: no field "Earlier"',
    },
    {
      what: "a missing description",
      from: description,
      to: "",
      line: "good › Latency: no description",
    },
    {
      what: "a description that does not say what to do",
      from: "If it is high, look below.",
      to: "It is high.",
      line: 'good › Failed: the description has no sentence that begins with "If"',
    },
    {
      what: "a raw legend",
      from: '"legendFormat":"rate"',
      to: '"legendFormat":"__auto"',
      line: "good › Latency: query B: no legend",
    },
    {
      what: "another uid",
      from: '"uid":"plimsoll-good"',
      to: '"uid":"good"',
      line: 'good: uid "good"; expected "plimsoll-good"',
    },
  ])("is found by $what", ({ from, to, line }) => {
    expect(broken(from, to).join("\n")).toContain(line);
  });

  it("is found by two aggregations by different labels", () => {
    const lines = broken(
      "sum (rate(k6_http_reqs_total",
      "sum by (name) (rate(k6_data_sent_total[1m])) / sum by (method) (rate(k6_http_reqs_total",
    );
    expect(lines.join("\n")).toContain(
      'the sides of "/" never match: at its left are the labels (name), at its right (method)',
    );
  });

  it("is found by an id of its own, ids that repeat and a missing input", () => {
    const { __inputs: _, ...model } = JSON.parse(good);
    const panels = model.panels.map((panel: object) => ({ ...panel, id: 1 }));
    const lines = linesOf(checkDashboard("good", { ...model, panels, id: 5 }, catalogue));
    expect(lines).toContainEqual(expect.stringContaining("good: id 5; leave it out"));
    expect(lines).toContainEqual(
      expect.stringContaining("good: panels with the same id or none: 1"),
    );
    expect(lines).toContainEqual(expect.stringContaining("good: no __inputs with a Prometheus"));
  });
});
