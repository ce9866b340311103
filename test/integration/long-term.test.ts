/** What the stack's Prometheus passes on to a long-term store: a run, as it comes. */
import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { oldRunRequests, writeOldRun } from "../support/old-run.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { startShop } from "../support/shop.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { startVictoriaMetrics } from "../support/victoria-metrics.ts";

const provisioned = new URL(
  "../../provisioning/prometheus/prometheus-victoriametrics.yml",
  import.meta.url,
);

/** The provisioned file, with nothing to scrape, and the store where it is for this test. */
function configuration(storeUrl: string): string {
  const { storage, remote_write: remoteWrite } = parse(readFileSync(provisioned, "utf8"));
  expect(remoteWrite).toHaveLength(1);
  return stringify({ storage, remote_write: [{ ...remoteWrite[0], url: storeUrl }] });
}

describeWithTool("prometheus-3", "the stack's Prometheus", (prometheusProgram) => {
  describeWithTool("victoria-metrics", "with VictoriaMetrics behind it", (program) => {
    it("passes on a run with classic histograms, and takes one of long ago by itself", async () => {
      await using store = await startVictoriaMetrics({ program });
      const config = configuration(store.writeUrl);
      await using prometheus = await startPrometheus({ program: prometheusProgram, config });
      await using shop = await startShop();
      await using folder = await createTemporaryFolder();
      const out = `--out=prometheus-rw=${prometheus.writeUrl}`;

      const load = [
        "run",
        `${shop.url}/products`,
        "--duration=2s",
        "--rate=50",
        "--trends=classic",
      ];
      const today = await runPlimsoll([...load, "--testid=today", out], { folder: folder.path });
      expect(today.exitCode, today.stderr).toBe(0);
      // Prometheus passes on nothing that is older than its own start.
      const old = await writeOldRun(folder.path);
      const toStore = `--out=prometheus-rw=${store.writeUrl}`;
      const ingest = ["ingest", old.file, "--testid=old", toStore];
      const longAgo = await runPlimsoll(ingest, { folder: folder.path });
      expect(longAgo.exitCode, longAgo.stderr).toBe(0);

      const requests = 'sum(last_over_time(k6_http_reqs_total{testid="today"}[1h]))';
      const [sent] = await prometheus.query(requests);
      expect(sent?.value).toBeGreaterThan(50);
      await vi.waitFor(
        async () => {
          await store.flush();
          expect(await store.query(requests)).toEqual([sent]);
          const observed =
            'sum(last_over_time(k6_http_req_duration_seconds_bucket{testid="today", le="+Inf"}[1h]))';
          expect(await store.query(observed)).toEqual([sent]);
          const oldRequests = 'sum(last_over_time(k6_http_reqs_total{testid="old"}[1h]))';
          expect(await store.query(oldRequests, old.endSeconds)).toEqual([
            { metric: {}, value: oldRunRequests },
          ]);
        },
        { timeout: 30_000, interval: 500 },
      );
    });
  });
});
