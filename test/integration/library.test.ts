/**
 * What a program records with the library is in a real Prometheus, to the last sample.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { PrometheusRemoteWrite, type RunReport } from "../../src/index.ts";
import { startPrometheus, type MetricsStore } from "../support/prometheus.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool, type ToolName } from "../support/tools.ts";

const stores: readonly { readonly tool: ToolName; readonly name: string }[] = [
  { tool: "prometheus-2", name: "Prometheus 2.42" },
  { tool: "prometheus-3", name: "Prometheus 3.15" },
];

const samples = 20_000;
const routes = ["/", "/cart", "/checkout"];
/** From 0 up to, not including, 1, in an order that looks random: multiples of the golden ratio. */
const fraction = (n: number): number => (n * 0.618_033_988_749_894_9) % 1;
/** From 2 to 1 000 ms, most of them short, as latencies are. */
const durationMs = (n: number): number => 2 + 998 * fraction(n) ** 4;
const routeOf = (n: number): string => routes[n % routes.length] ?? "";
const isFailed = (n: number): boolean => n % 7 === 0;

for (const { tool, name } of stores) {
  describeWithTool(tool, name, (program) => {
    const testid = `library-${tool}`;
    const own = `testid="${testid}"`;
    let store: MetricsStore;
    let folder: TemporaryFolder;
    let report: RunReport;
    /** Asks at the run's last point. */
    const ask = async (promql: string): Promise<Map<string, number>> => {
      const results = await store.query(promql, report.lastPointMs / 1_000);
      return new Map(
        results.map(({ metric, value }) => [metric["route"] ?? metric["condition"] ?? "", value]),
      );
    };
    beforeAll(async () => {
      store = await startPrometheus({
        program,
        flags: ["--enable-feature=native-histograms"],
      });
      folder = await createTemporaryFolder();
      const output = await PrometheusRemoteWrite.start({
        url: store.writeUrl,
        testid,
        test: "library",
        spoolDir: folder.path,
        pushInterval: "200ms",
      });
      const orders = output.counter("orders");
      const failed = output.rate("failed");
      const duration = output.trend("checkout_duration", { contains: "time" });
      const byRoute = new Map(routes.map((route) => [route, duration.with({ route })]));
      const queue = output.gauge("queue");
      for (let n = 0; n < samples; n++) {
        orders.add(2, { route: routeOf(n) });
        failed.add(isFailed(n));
        byRoute.get(routeOf(n))?.add(durationMs(n));
        queue.set(n);
        // Over several intervals.
        if (n % (samples / 10) === 0) await new Promise((resolve) => setTimeout(resolve, 80));
      }
      report = await output.finish();
    });
    afterAll(async () => {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    });

    it("accounts for every sample", () => {
      expect(report).toMatchObject({
        testid,
        test: "library",
        state: "finished",
        isComplete: true,
        trends: "native",
        samples: { read: 4 * samples, aggregated: 4 * samples, dropped: {} },
        points: { pending: 0, rejected: {} },
      });
      expect(report.points.delivered).toBe(report.points.encoded);
      expect(report.points.encoded).toBeGreaterThan(20);
    });

    it("has the counter's sum by tag, and as increase() over the run", async () => {
      const perRoute = new Map(
        routes.map((route, index) => [route, 2 * Math.ceil((samples - index) / routes.length)]),
      );
      expect(await ask(`k6_orders_total{${own}}`)).toEqual(perRoute);
      expect(await ask(`sum(increase(k6_orders_total{${own}}[1h]))`)).toEqual(
        new Map([["", 2 * samples]]),
      );
    });

    it("has the rate's two counts and its share", async () => {
      const nonzero = Math.ceil(samples / 7);
      expect(await ask(`k6_failed_total{${own}}`)).toEqual(
        new Map([
          ["nonzero", nonzero],
          ["zero", samples - nonzero],
        ]),
      );
      expect(await ask(`k6_failed_rate{${own}}`)).toEqual(new Map([["", nonzero / samples]]));
    });

    it("has the gauge's last value", async () => {
      expect(await ask(`k6_queue{${own}}`)).toEqual(new Map([["", samples - 1]]));
    });

    it("has every observation of the trend, in seconds, and quantiles within 1 %", async () => {
      const family = `k6_checkout_duration_seconds{${own}}`;
      const all = Array.from({ length: samples }, (_, n) => durationMs(n) / 1_000);
      const [count] = (await ask(`histogram_count(sum(${family}))`)).values();
      const [sum] = (await ask(`histogram_sum(sum(${family}))`)).values();
      expect(count).toBe(samples);
      expect(sum).toBeCloseTo(
        all.reduce((total, value) => total + value, 0),
        6,
      );
      const sorted = all.toSorted((a, b) => a - b);
      for (const q of [0.1, 0.5, 0.9, 0.95, 0.99, 0.999]) {
        const [value = NaN] = (await ask(`histogram_quantile(${q}, sum(${family}))`)).values();
        const exact = sorted[Math.ceil(q * samples) - 1] ?? NaN;
        expect(Math.abs(value / exact - 1), `quantile ${q}`).toBeLessThan(0.01);
      }
      const byRoute = await ask(`histogram_count(${family})`);
      expect([...byRoute.keys()].sort()).toEqual(routes);
    });

    it("says what the run was and how it ended", async () => {
      const info = await store.query(`plimsoll_run_info{${own}}`);
      expect(info.map(({ metric }) => metric["generator"])).toEqual(["plimsoll library"]);
      const ended = await store.query(`plimsoll_run_state{${own},state="finished"}`);
      expect(ended.map(({ value }) => value)).toEqual([1]);
    });

    it("ends its series", async () => {
      const later = (report.lastPointMs + 1_000) / 1_000;
      expect(await store.query(`{__name__=~"k6_.+",${own}}`, later)).toEqual([]);
    });
  });
}
