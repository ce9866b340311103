import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import { probe, type ProbeOptions, type ProbeResult } from "../../src/send/probe.ts";
import { RemoteWriteClient } from "../../src/send/remote-write-client.ts";
import { encodeWriteRequest } from "../support/encode-write-request.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { startVictoriaMetrics } from "../support/victoria-metrics.ts";

type ProbeSettings = Partial<Pick<ProbeOptions, "protocol" | "verifyHistogramStored">>;

/** Points of this moment, and no two with one timestamp: a repeated one with another value is refused. */
async function probeUrl(url: string, settings: ProbeSettings = {}): Promise<ProbeResult> {
  await using client = new RemoteWriteClient({
    url,
    userAgent: "plimsoll/1.2.3",
    clock: systemClock,
  });
  let timestampMs = Date.now();
  return await probe({
    client,
    encode: (protocol, points) =>
      encodeWriteRequest({
        protocol,
        timestampMs: timestampMs++,
        metric: "probe",
        ...(points.float && { float: 1 }),
        ...(points.histogram && { histogramCount: 1 }),
      }),
    protocol: "auto",
    clock: systemClock,
    random: () => 0,
    ...settings,
  });
}

interface Row {
  readonly protocol: RemoteWriteProtocol | "auto";
  readonly expected: object;
}

const accepted = (protocol: RemoteWriteProtocol, nativeHistograms: boolean | "unverified") => ({
  kind: "accepted",
  protocol,
  nativeHistograms,
});

describeWithTool("prometheus-2", "Prometheus 2", (program) => {
  it.each<Row>([
    { protocol: "auto", expected: accepted("1", false) },
    { protocol: "1", expected: accepted("1", false) },
    { protocol: "2", expected: { kind: "refused", reason: "unsupported" } },
  ])("takes no native histograms by default (protocol $protocol)", async (row) => {
    await using prometheus = await startPrometheus({ program });
    const { protocol } = row;
    expect(await probeUrl(prometheus.writeUrl, { protocol })).toMatchObject(row.expected);
  });

  it("takes native histograms with its feature flag, which only the store can tell", async () => {
    const flags = ["--enable-feature=native-histograms"];
    await using prometheus = await startPrometheus({ program, flags });
    const verifyHistogramStored = async () =>
      (await prometheus.query("histogram_count(probe_seconds)")).length === 1;
    expect(await probeUrl(prometheus.writeUrl)).toEqual(accepted("1", "unverified"));
    expect(await probeUrl(prometheus.writeUrl, { verifyHistogramStored })).toEqual(
      accepted("1", true),
    );
  });

  it("is refused with advice where its receiver is off", async () => {
    await using prometheus = await startPrometheus({ program, remoteWrite: false });
    expect(await probeUrl(prometheus.writeUrl)).toMatchObject({
      kind: "refused",
      reason: "http_404",
      text: expect.stringContaining("--web.enable-remote-write-receiver"),
    });
  });

  it.each(["/", "/graph", "/api/v1/query", "/nothing-here"])(
    "is refused where the path is %s",
    async (path) => {
      await using prometheus = await startPrometheus({ program });
      expect(await probeUrl(prometheus.url + path)).toMatchObject({ kind: "refused" });
    },
  );
});

describeWithTool("prometheus-3", "Prometheus 3", (program) => {
  it.each<Row>([
    { protocol: "auto", expected: accepted("2", true) },
    { protocol: "2", expected: accepted("2", true) },
    { protocol: "1", expected: accepted("1", "unverified") },
  ])("takes native histograms (protocol $protocol)", async ({ protocol, expected }) => {
    await using prometheus = await startPrometheus({ program });
    expect(await probeUrl(prometheus.writeUrl, { protocol })).toEqual(expected);
    const [result] = await prometheus.query("histogram_count(probe_seconds)");
    expect(result?.value).toBe(1);
  });

  it("falls back where it is told to take 1.0 only", async () => {
    const flags = [
      "--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest",
    ];
    await using prometheus = await startPrometheus({ program, flags });
    expect(await probeUrl(prometheus.writeUrl)).toEqual(accepted("1", "unverified"));
  });

  it("is refused with advice where its receiver is off", async () => {
    await using prometheus = await startPrometheus({ program, remoteWrite: false });
    expect(await probeUrl(prometheus.writeUrl)).toMatchObject({
      kind: "refused",
      reason: "http_404",
      text: expect.stringContaining("--web.enable-remote-write-receiver"),
    });
  });

  it("is asked by each generator of a run for itself, whichever of them began first", async () => {
    await using prometheus = await startPrometheus({ program });
    await using folder = await createTemporaryFolder();
    const nowMs = Date.now();
    for (const [id, timeMs] of Object.entries({ late: nowMs - 5_000, early: nowMs - 60_000 })) {
      const file = join(folder.path, `${id}.json`);
      const point = { time: new Date(timeMs).toISOString(), value: 1, tags: {} };
      await writeFile(file, JSON.stringify({ type: "Point", metric: "http_reqs", data: point }));
      const identity = ["--testid", "fleet", "--test", "fleet", "--tag", `instance_id=${id}`];
      const args = ["ingest", file, ...identity, "--out", `prometheus-rw=${prometheus.writeUrl}`];
      const { exitCode, stderr } = await runPlimsoll(args, { folder: folder.path });
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain("remote write 2.0, trends native");
    }
    const requests = 'sum(last_over_time(k6_http_reqs_total{testid="fleet"}[5m]))';
    expect((await prometheus.query(requests)).map(({ value }) => value)).toEqual([2]);
  });
});

describeWithTool("victoria-metrics", "VictoriaMetrics", (program) => {
  it("takes 1.0, and its silent loss of native histograms is found in the store", async () => {
    await using store = await startVictoriaMetrics({ program });
    const verifyHistogramStored = async () => {
      const countFloats = async () => {
        await store.flush();
        return (await store.query("probe")).length;
      };
      // Sent before the histogram, so that histogram could be seen, too.
      await expect.poll(countFloats, { timeout: 15_000 }).toBe(1);
      return (await store.query('{__name__=~"probe_seconds.*"}')).length > 0;
    };
    expect(await probeUrl(store.writeUrl)).toEqual(accepted("1", "unverified"));
    expect(await probeUrl(store.writeUrl, { verifyHistogramStored })).toEqual(accepted("1", false));
  });
});

describe("no receiver", () => {
  it("says that nothing listens, after the time it has to start", async () => {
    expect(await probeUrl("http://127.0.0.1:1/api/v1/write")).toMatchObject({
      kind: "refused",
      reason: "connection_refused",
      text: expect.stringContaining("is the receiver running"),
    });
  });
});
