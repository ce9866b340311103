/**
 * A generator on one core that has none of it to spare, and one that has: what each says of itself, and what is stored.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";
import {
  startPlimsoll,
  words,
  type PlimsollProcess,
  type PlimsollResult,
} from "../support/plimsoll.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

/** Both wait for nobody else, so that what is busy is the generator. */
const script = `
import { sleep } from "k6";
export const options = { vus: 4, duration: __ENV.DURATION };
export default function () {
  if (__ENV.BUSY !== "1") { sleep(0.1); return; }
  const end = Date.now() + 20;
  while (Date.now() < end);
}
`;

/** The first core that we may use: what is started there sees one. */
function oneCore(): readonly string[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const core = /^Cpus_allowed_list:\s+(\d+)/m.exec(status)?.[1] ?? "0";
  return ["taskset", "-c", core];
}

describe.runIf(process.platform === "linux")("a generator on one core", () => {
  describeWithTool("k6-2", "of k6", (k6) => {
    describeWithTool("prometheus-3", "into Prometheus 3", (program) => {
      let folder: TemporaryFolder;
      let prometheus: Prometheus;
      const runs = new Map<string, { result: PlimsollResult; report: RunReport }>();
      beforeAll(async () => {
        folder = await createTemporaryFolder();
        prometheus = await startPrometheus({ program });
        await writeFile(join(folder.path, "load.js"), script);
        const start = (testid: string, env: string): PlimsollProcess =>
          startPlimsoll(
            [
              ...words(`run --k6 ${k6} ${env} --testid ${testid} --report ${testid}.json`),
              ...words(`--out prometheus-rw=${prometheus.writeUrl} load.js`),
            ],
            { folder: folder.path, wrapper: oneCore() },
          );
        const busy = start("busy", "-e BUSY=1 -e DURATION=60s");
        // A machine that does something else as well gives it the whole core only now and then.
        await busy.waitFor(/generator saturated|: finished/);
        busy.kill("SIGINT");
        const idle = start("idle", "-e BUSY=0 -e DURATION=11s");
        for (const [testid, { result }] of Object.entries({ busy, idle })) {
          const done = await result;
          const report = await readReport(join(folder.path, `${testid}.json`));
          runs.set(testid, { result: done, report });
        }
      }, 110_000);
      afterAll(async () => {
        await prometheus[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      });
      const runOf = (testid: string) => runs.get(testid) ?? expect.unreachable(testid);

      it("says that it was saturated, while it is and at the end", ({ skip }) => {
        const { result, report } = runOf("busy");
        const isCrowded = (loadavg()[0] ?? 0) > 4 * cpus().length;
        skip(isCrowded && report.generator?.saturatedSeconds === 0, "others had the core as well");
        expect(result.stderr).toMatch(/^00:\d\d · generator saturated \(CPU \d+\.\d\d %\) · /m);
        expect(result.stderr).toMatch(
          /note {2}the generator was saturated for \d+ s: it used up to \S+ % of 1 core,/,
        );
        expect(report.generator?.cpus).toBe(1);
        expect(report.generator?.maxCpuRatio).toBeGreaterThan(0.9);
        expect(report.generator?.saturatedSeconds).toBeGreaterThanOrEqual(5);
      });

      it("says nothing where there is CPU to spare", () => {
        const { result, report } = runOf("idle");
        expect(result.stderr).not.toContain("saturated");
        expect(report.generator).toMatchObject({ cpus: 1, saturatedSeconds: 0 });
        expect(report.generator?.maxCpuRatio).toBeLessThan(0.9);
      });

      it("stores the CPU and the memory of k6 and of Plimsoll", async () => {
        const cpu = new Map<string, number>();
        for (const testid of ["busy", "idle"]) {
          const last = `last_over_time(plimsoll_generator_cpu_seconds_total{testid="${testid}"}[5m])`;
          for (const { metric, value } of await prometheus.query(last)) {
            cpu.set(`${testid} ${metric["process"]}`, value);
          }
        }
        expect([...cpu.keys()].sort()).toEqual([
          "busy k6",
          "busy plimsoll",
          "idle k6",
          "idle plimsoll",
        ]);
        expect(cpu.get("busy k6")).toBeGreaterThan(5 * (cpu.get("idle k6") ?? NaN));
        const memory = "last_over_time(plimsoll_generator_resident_memory_bytes[5m]) > 1e6";
        expect(await prometheus.query(memory)).toHaveLength(4);
      });

      it("stores an account that balances, and is all but that of itself", async () => {
        const { report } = runOf("busy");
        expectAccounted(report);
        const account = async (name: string): Promise<number> => {
          const last = `last_over_time(plimsoll_${name}{testid="busy"}[5m])`;
          const values = (await prometheus.query(last)).map(({ value }) => value);
          return values.reduce((sum, value) => sum + value, 0);
        };
        expect(await account("samples_read_total")).toBe(report.samples.read);
        expect(await account("samples_aggregated_total")).toBe(report.samples.aggregated);
        const points = (name: string) => account(`remote_write_samples_${name}`);
        const encoded = await points("total");
        expect(encoded + (await points("recovered_total"))).toBe(
          (await points("delivered_total")) +
            (await points("pending")) +
            (await points("failed_total")) +
            (await points("dropped_total")),
        );
        expect(await points("pending")).toBe(0);
        expect(encoded).toBeLessThan(report.points.encoded);
        expect(encoded).toBeGreaterThan(report.points.encoded - 150);
        // The zero before is there, so that the whole of a run shorter than any scrape is.
        const increase =
          'max_over_time(plimsoll_samples_read_total{testid="busy"}[5m]) - min_over_time(plimsoll_samples_read_total{testid="busy"}[5m])';
        expect((await prometheus.query(increase)).map(({ value }) => value)).toEqual([
          report.samples.read,
        ]);
      });

      it("ends with the run", async () => {
        const own = '{__name__=~"plimsoll_(remote_write|generator|samples)_.+",testid="busy"}';
        expect(await prometheus.query(own)).toEqual([]);
        expect((await prometheus.query(`last_over_time(${own}[5m])`)).length).toBeGreaterThan(20);
      });
    });
  });
});
