/** What `plimsoll ingest` says of a run that the store has points of already: of the same file, and of others. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runPlimsoll } from "../support/plimsoll.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

let prometheus: Prometheus;
let folder: TemporaryFolder;

describeWithTool("prometheus-3", "files of samples under one testid", (program) => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program });
    folder = await createTemporaryFolder();
  });
  afterAll(async () => {
    for (const one of [prometheus, folder]) await one[Symbol.asyncDispose]();
  });

  it("are warned of where their series have points of that time, and nowhere else", async () => {
    const startMs = Date.now() - 30_000;
    const first = await ingest("first", startMs, []);
    expect(first).toEqual({ exitCode: 0, isWarned: false });
    // Its series are others: nothing of it is refused.
    const another = await ingest("second", startMs, ["--tag", "instance_id=b"]);
    expect(another).toEqual({ exitCode: 0, isWarned: false });
    expect(await ingest("second", startMs, ["--test", "other"])).toEqual({
      exitCode: 0,
      isWarned: false,
    });
    expect(await ingest("first", startMs, [])).toMatchObject({ isWarned: true });
    const again = await ingest("second", startMs, ["--tag", "instance_id=b"]);
    expect(again).toMatchObject({ isWarned: true });
    const sums = await prometheus.query(
      'sum by (test, instance_id) (last_over_time(k6_http_reqs_total{testid="fleet"}[5m]))',
    );
    expect(sums.map(({ value }) => value)).toEqual([10, 10, 10]);
  });
});

async function ingest(
  name: string,
  startMs: number,
  flags: readonly string[],
): Promise<{ exitCode: number | null; isWarned: boolean }> {
  const file = join(folder.path, `${name}.json`);
  const lines = Array.from({ length: 10 }, (_, at) =>
    JSON.stringify({
      metric: "http_reqs",
      type: "Point",
      data: { time: new Date(startMs + at * 500).toISOString(), value: 1, tags: {} },
    }),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  const out = `prometheus-rw=${prometheus.writeUrl}`;
  const { exitCode, stderr } = await runPlimsoll(
    ["ingest", file, "--testid", "fleet", "--test", "checkout", ...flags, "--out", out],
    { folder: folder.path },
  );
  return { exitCode, isWarned: stderr.includes("run fleet has points of this time already") };
}
