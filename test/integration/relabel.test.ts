/**
 * Holds the table of relabel cases to a real Prometheus: it stores one series, and passes it on by one
 * `remote_write` with `write_relabel_configs` for each case.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { compressSync } from "snappy";
import { expect, it } from "vitest";
import { startPrometheus } from "../support/prometheus.ts";
import { startReceiverServer } from "../support/receiver-server.ts";
import { refusedRules, relabelCases, relabelInput } from "../support/relabel-cases.ts";
import { WriteRequest } from "../support/remote-write-proto.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

/** Only names of the specification's grammar, as for us: a target that is none changes nothing. */
const legacyNames = "global: {metric_name_validation_scheme: legacy}\n";

describeWithTool("prometheus-3", "relabelling in Prometheus", (program) => {
  it("does what the table says", async () => {
    await using receiver = await startReceiverServer();
    const remoteWrites = relabelCases.map(({ rules }, index) => {
      const url = receiver.url.replace("/write", `/case-${index}`);
      return `  - {name: case-${index}, url: "${url}", queue_config: {batch_send_deadline: 100ms}, write_relabel_configs: ${rules}}\n`;
    });
    await using prometheus = await startPrometheus({
      program,
      config: `${legacyNames}remote_write:\n${remoteWrites.join("")}`,
    });
    await push(prometheus.writeUrl, relabelInput);
    const series = (index: number) =>
      receiver.requests
        .filter(({ path }) => path.endsWith(`/case-${index}`))
        .flatMap((request) => request.series);
    await waitUntilAllDecided(prometheus.url, (index) => series(index).length > 0);

    const stored = relabelCases.map(({ name }, index) => ({
      name,
      labels: series(index).map(({ labels }) =>
        // Prometheus sends temporary labels, which the specification reserves; we do not.
        Object.fromEntries(
          labels
            .filter(({ name }) => name === "__name__" || !name.startsWith("__"))
            .map(({ name, value }) => [name, value]),
        ),
      ),
    }));
    expect(stored).toEqual(
      relabelCases.map(({ name, changes }) => ({
        name,
        labels:
          changes === "dropped"
            ? []
            : [
                Object.fromEntries(
                  Object.entries({ ...relabelInput, ...changes }).filter(
                    ([, value]) => value !== null,
                  ),
                ),
              ],
      })),
    );
  });

  it.each(refusedRules)("refuses $rules", async ({ rules }) => {
    await using folder = await createTemporaryFolder();
    const configFile = join(folder.path, "prometheus.yml");
    const remoteWrite = `remote_write: [{url: "http://127.0.0.1:1/", write_relabel_configs: ${rules}}]\n`;
    await writeFile(configFile, `${legacyNames}${remoteWrite}`);
    const flags = ["--web.listen-address=127.0.0.1:0", `--storage.tsdb.path=${folder.path}/data`];
    const prometheus = spawn(program, [`--config.file=${configFile}`, ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 20_000,
    });
    const [log, [exitCode]] = await Promise.all([
      text(prometheus.stderr),
      once(prometheus, "close"),
    ]);
    expect(exitCode, log).toBe(2);
    expect(log).toContain("Error loading config");
  });
});

async function push(url: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const request = WriteRequest.fromObject({
    timeseries: [
      {
        labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
        // A queue passes on what is newer than its own start, which may come after this on a busy machine.
        samples: [{ value: 1, timestamp: Date.now() + 60_000 }],
      },
    ],
  });
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Encoding": "snappy",
      "Content-Type": "application/x-protobuf",
      "X-Prometheus-Remote-Write-Version": "0.1.0",
    },
    body: compressSync(Buffer.from(WriteRequest.encode(request).finish())),
  });
  expect(response.status).toBe(204);
}

/** Every queue has sent the sample, and it has come, or, because its rules drop the series, dropped it. */
async function waitUntilAllDecided(
  prometheusUrl: string,
  hasCome: (index: number) => boolean,
): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    const metrics = await (await fetch(`${prometheusUrl}/metrics`)).text();
    const undecided = relabelCases.filter(({ changes }, index) => {
      if (changes !== "dropped") return !hasCome(index);
      const dropped = "prometheus_remote_storage_samples_dropped_total";
      return !new RegExp(`^${dropped}\\{.*remote_name="case-${index}".*\\} [1-9]`, "m").test(
        metrics,
      );
    });
    if (undecided.length === 0) return;
    if (Date.now() > deadlineMs) {
      throw new Error(`not as expected: ${undecided.map(({ name }) => name).join("; ")}`);
    }
    await delay(100);
  }
}
