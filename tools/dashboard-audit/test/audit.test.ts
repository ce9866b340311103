/**
 * The audit on dashboards about Prometheus itself: nothing is wrong with the example, and one thing with each copy.
 *
 * One run draws them all, as drawing starts a browser.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startPrometheus } from "../../../test/support/prometheus.ts";
import { createTemporaryFolder } from "../../../test/support/temporary-folder.ts";
import { describeWithTool } from "../../../test/support/tools.ts";
import type { DashboardReport } from "../page/report.ts";
import { findingLines } from "../print.mjs";
import { example } from "./example.ts";

/** In the text of the dashboard's JSON: what is replaced, by what, and what is then found. */
const faults: [name: string, from: string | RegExp, to: string, found: RegExp][] = [
  [
    "a misspelt metric",
    "process_resident_memory_bytes",
    "process_resident_memory_byte",
    /Memory: unknown metric: process_resident_memory_byte in query A/,
  ],
  [
    "a misspelt metric beside a zero",
    "process_resident_memory_bytes",
    "process_resident_memory_byte or vector(0)",
    /Memory: unknown metric/,
  ],
  [
    "a misspelt label in a matcher",
    '{job=\\"$job\\"}',
    '{jop=\\"$job\\"}',
    /unknown label: jop of up|By handler: unknown label: jop/,
  ],
  [
    "a misspelt label in by",
    "topk(3, sum by (handler)",
    "topk(3, sum by (handlr)",
    /Handlers: unknown label: handlr in query A/,
  ],
  [
    "a misspelt label in a legend",
    '"legendFormat":"{{handler}}"',
    '"legendFormat":"{{handlr}}"',
    /raw legend: no series of query A has the label handlr/,
  ],
  ["no legend", ',"legendFormat":"p95"', "", /95th percentile: raw legend: "histogram_quantile/],
  [
    "bytes for seconds",
    '"unit":"s"',
    '"unit":"bytes"',
    /95th percentile: unit: "bytes" for query A, which measures seconds/,
  ],
  [
    "a percentage for bytes",
    '"unit":"bytes"',
    '"unit":"percent"',
    /Memory: unit: "percent" for query A, which measures bytes/,
  ],
  [
    "an undefined variable in a query",
    "[$window]",
    "[$windw]",
    /Requests per second: undefined variable: \$windw in targets\[1\]\.expr/,
  ],
  [
    "an undefined variable in a title",
    '"title":"Memory"',
    '"title":"Memory of ${jab}"',
    /undefined variable: \$\{jab\} in title/,
  ],
  [
    "an unknown transformation",
    '"id":"joinByField"',
    '"id":"joinByFeld"',
    /By handler: transformation: unknown transformation "joinByFeld"/,
  ],
  [
    "a transformation of a field that is not there",
    '"byField":"handler"',
    '"byField":"handlr"',
    /By handler: transformation: joinByField names the field "handlr"/,
  ],
  [
    "an override of a name that is not there",
    '"options":"all"',
    '"options":"total"',
    /Requests per second: override: byName "total" matches nothing/,
  ],
  [
    "an override of nothing that Grafana knows",
    '"custom.lineWidth"',
    '"custom.lineWith"',
    /unsupported: field property "custom\.lineWith"/,
  ],
  ["an unknown matcher", '"id":"byRegexp"', '"id":"byRegex"', /override: unknown matcher byRegex/],
  [
    "a query that does not parse",
    "sum(rate(prometheus_http_requests_total[$window]))",
    "sum(rate(prometheus_http_requests_total[$window])",
    /Requests per second: query error: query B: .*parse error/,
  ],
  [
    "an unknown panel type",
    '"type":"bargauge"',
    '"type":"barguage"',
    /Handlers: unsupported: panel type "barguage"/,
  ],
  ["an unknown unit", '"unit":"reqps"', '"unit":"reqqs"', /unit: unknown unit "reqqs"/],
  [
    "a column without a name",
    '"Value #B":"Time"',
    '"Value #b":"Time"',
    /By handler: raw legend: "Value #B"/,
  ],
  [
    "a variable without values",
    "label_values(up, job)",
    "label_values(upp, job)",
    /example: variable: job has no values/,
  ],
  [
    "a link to a column that is not there",
    "__data.fields.Handler",
    "__data.fields.handlers",
    /By handler: link: no field "handlers"/,
  ],
  [
    "an annotation that nothing gives",
    '"expr":"up{job=',
    '"expr":"upp{job=',
    /example: no data: annotation Scraped/,
  ],
  [
    "what the audit cannot draw",
    '"title":"Memory"',
    '"repeat":"job","title":"Memory"',
    /Memory: unsupported: panel property "repeat"/,
  ],
];

/** The example with a fault, and of its panels those that have it: the rest would only take time to draw. */
function broken(from: string | RegExp, to: string): typeof example {
  const good = JSON.stringify(example);
  const text = good.replaceAll(from, to);
  if (text === good) throw new Error(`the example has no ${String(from)}`);
  const copy = JSON.parse(text) as typeof example;
  const unchanged = new Set(panelsOf(example).map((panel) => JSON.stringify(panel)));
  const panels = panelsOf(copy).filter((panel) => !unchanged.has(JSON.stringify(panel)));
  return { ...copy, panels: panels.length > 0 ? panels : copy.panels.slice(0, 1) };
}

/** Also those inside of rows. */
const panelsOf = ({ panels }: typeof example) =>
  panels.flatMap((panel) => ("panels" in panel ? (panel["panels"] as typeof panels) : [panel]));

/** What the store records: another Prometheus, which answers in protobuf and so with native histograms as well. */
const scrape = (url: string) => `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: prometheus
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    static_configs: [{ targets: ["${new URL(url).host}"] }]
`;

const script = fileURLToPath(new URL("../../../scripts/dashboards-audit.mjs", import.meta.url));

describeWithTool("chromium", "dashboard audit", () => {
  describeWithTool("prometheus-3", "of Prometheus 3", (program) => {
    const running: AsyncDisposable[] = [];
    let result: SpawnSyncReturns<string>;
    let reports: DashboardReport[];

    beforeAll(async () => {
      const folder = await createTemporaryFolder();
      running.push(folder);
      const subject = await startPrometheus({ program });
      running.push(subject);
      const store = await startPrometheus({ program, config: scrape(subject.url) });
      running.push(store);
      await vi.waitUntil(
        async () => {
          // Something to look at: the subject counts requests to itself.
          await subject.query("up");
          const [scrapes] = await store.query("count_over_time(up[1m])");
          return scrapes !== undefined && scrapes.value >= 15;
        },
        { timeout: 60_000, interval: 500 },
      );
      const copies = faults.map(([, from, to]) => broken(from, to));
      const files = [example, ...copies].map((dashboard, index) => {
        const file = join(folder.path, `${index}.json`);
        writeFileSync(file, JSON.stringify(dashboard));
        return file;
      });
      const json = join(folder.path, "reports.json");
      const options = ["--prometheus", store.url, "--scrape-interval", "1s", "--json", json];
      result = spawnSync(process.execPath, [script, ...options, ...files], { encoding: "utf8" });
      // 0 and 1 are an answer; anything else left none.
      expect(result.status, result.stderr).toBeOneOf([0, 1]);
      reports = JSON.parse(readFileSync(json, "utf8")) as DashboardReport[];
      // The first time it installs its dependencies and builds its page.
    }, 600_000);

    afterAll(async () => {
      for (const item of running) await item[Symbol.asyncDispose]();
    });

    const valuesOf = (title: string) => {
      const panel = reports[0]!.panels.find((panel) => panel.title === title);
      return panel?.values.map(({ name, value }) => [name, value]);
    };

    it("finds nothing wrong with the example", () => {
      expect(findingLines(reports[0]!)).toEqual([]);
      expect(reports[0]!.panels).toHaveLength(14);
    });

    it.each(faults.map(([name, , , found], index) => [name, found, index + 1] as const))(
      "finds %s",
      (_name, found, index) => {
        expect(findingLines(reports[index]!).join("\n")).toMatch(found);
      },
    );

    it("ends with 1 where it found something", () => {
      expect(result.status).toBe(1);
      expect(result.stdout).toContain(`${faults.length + 1} dashboards`);
    });

    it("reads names and formatted values as a person sees them", () => {
      expect(valuesOf("Memory")).toEqual([["memory", expect.stringMatching(/^[\d.]+ MiB$/)]]);
      expect(valuesOf("Starts")).toContainEqual([
        "Started",
        expect.stringMatching(/^\d{4}-\d\d-\d\d /),
      ]);
      expect(valuesOf("By handler")?.map(([name]) => name)).toEqual([
        "Handler",
        "Requests",
        "Time",
        "Count",
        "mean",
        "stdDev",
      ]);
    });
  });
});
