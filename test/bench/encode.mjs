/**
 * Points to compressed remote-write requests, against the npm package prometheus-remote-write with the same data.
 *
 * 2 000 series, one sample each, random doubles, 7 labels, in the shape of Prometheus' own benchmark: the Go
 * runtime's metrics of many pods, and a testid. Series are known from the round before, as from the second push interval on.
 *
 * Source of the shape: prometheus/prometheus `storage/remote/queue_manager_test.go`, createDummyTimeSeries.
 */
import prometheusRemoteWrite from "prometheus-remote-write";
import protobuf from "protobufjs";
import { BatchEncoder } from "../../dist/encode/batch-encoder.js";
import { compressBlock } from "../../dist/encode/snappy-block.js";
import { median, ratioText, takeTurns } from "./compare.mjs";
import { seeded } from "./ingest.mjs";

const seriesCount = 2_000;
/** Requests per turn, so that a turn is long enough to be timed. */
const repeats = 20;
const rounds = 15;

const goMetrics =
  "go_gc_duration_seconds go_gc_duration_seconds_sum go_gc_duration_seconds_count go_goroutines go_info go_memstats_alloc_bytes go_memstats_alloc_bytes_total go_memstats_buck_hash_sys_bytes go_memstats_frees_total go_memstats_gc_sys_bytes go_memstats_heap_alloc_bytes go_memstats_heap_idle_bytes go_memstats_heap_inuse_bytes go_memstats_heap_objects go_memstats_heap_released_bytes go_memstats_heap_sys_bytes go_memstats_last_gc_time_seconds go_memstats_lookups_total go_memstats_mallocs_total go_memstats_mcache_inuse_bytes go_memstats_mcache_sys_bytes go_memstats_mspan_inuse_bytes go_memstats_mspan_sys_bytes go_memstats_next_gc_bytes go_memstats_other_sys_bytes go_memstats_stack_inuse_bytes go_memstats_stack_sys_bytes go_memstats_sys_bytes go_threads process_cpu_seconds_total process_max_fds process_open_fds process_resident_memory_bytes".split(
    " ",
  );

export async function bench() {
  const random = seeded(7);
  const series = Array.from({ length: seriesCount }, (_, id) => makeSeries(id));
  const values = series.map(() => random() * 1e6);
  let timestampMs = Date.UTC(2026, 7, 21, 10, 15, 42);

  /** @type {Record<string, number>} */
  const bytes = {};
  const ours = (/** @type {"1" | "2"} */ protocol) => {
    const name = `remote write ${protocol}.0`;
    const encoder = new BatchEncoder(protocol, ({ body }) => {
      bytes[name] = body.length;
    });
    return () => {
      for (let repeat = 0; repeat < repeats; repeat++) {
        timestampMs += 1_000;
        for (const [at, one] of series.entries()) {
          encoder.float(one, timestampMs, values[at] ?? 0, 0);
        }
        encoder.intervalEnd();
      }
    };
  };
  const asObjects = series.map(({ labels }, at) => ({
    labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
    samples: [{ value: values[at] ?? 0, timestamp: 0 }],
  }));
  const theirs = async () => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      timestampMs += 1_000;
      for (const { samples } of asObjects) {
        for (const sample of samples) sample.timestamp = timestampMs;
      }
      await prometheusRemoteWrite.pushTimeseries(asObjects, {
        url: "http://localhost/",
        // Everything but the request itself.
        fetch: async (_url, { body }) => {
          bytes["prometheus-remote-write"] = body.length;
          return { status: 204, statusText: "", text: async () => "" };
        },
      });
    }
  };
  const blocks = series.map(({ labels }) => labelBlock(labels));
  const withWriter = () => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      timestampMs += 1_000;
      const writer = protobuf.Writer.create();
      for (const [at, block] of blocks.entries()) {
        writer.uint32(0x0a).fork();
        for (const label of block) writer.uint32(0x0a).bytes(label);
        writer
          .uint32(0x12)
          .fork()
          .uint32(0x09)
          .double(values[at] ?? 0);
        writer.uint32(0x10).int64(timestampMs).ldelim().ldelim();
      }
      bytes["protobufjs Writer, labels cached (1.0)"] = compressBlock(
        Buffer.from(writer.finish()),
      ).length;
    }
  };

  const turns = await takeTurns(
    {
      "prometheus-remote-write": theirs,
      "protobufjs Writer, labels cached (1.0)": withWriter,
      "remote write 1.0": ours("1"),
      "remote write 2.0": ours("2"),
    },
    rounds,
  );
  const base = turns["prometheus-remote-write"];
  console.log(`${seriesCount} series, one sample each, encoded and compressed, one thread`);
  for (const [name, all] of Object.entries(turns)) {
    const perSample = median(all) / repeats / seriesCount;
    console.log(
      [
        name.padEnd(40),
        `${perSample.toFixed(0).padStart(5)} ns/sample`,
        `${(1e3 / perSample).toFixed(2).padStart(6)} M samples/s`,
        `${((bytes[name] ?? 0) / seriesCount).toFixed(1).padStart(5)} bytes/sample`,
        ratioText(base, all),
      ].join("  "),
    );
  }
  console.log("targets: ≥ 15 × and ≤ 26 bytes/sample (1.0), ≥ 40 × and ≤ 16 bytes/sample (2.0)");
}

/** @param {number} id */
function makeSeries(id) {
  const name = goMetrics[id % goMetrics.length] ?? "";
  const pod = Math.floor(id / goMetrics.length);
  const labels = {
    __name__: name,
    cluster: "some-cluster-0",
    container: "prometheus",
    job: "some-namespace/prometheus",
    namespace: "some-namespace",
    pod: `prometheus-${pod}`,
    // The seventh: Prometheus' fixture has six or seven, and each of our series has this one.
    testid: "checkout-20260821T101542-7f3a",
  };
  return {
    id,
    labels: Object.entries(labels)
      .map(([label, value]) => ({ name: label, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    family: /** @type {const} */ ({ name, type: "gauge", help: "", unit: "" }),
    isNative: false,
  };
}

/** @param {readonly { name: string, value: string }[]} labels */
function labelBlock(labels) {
  return labels.map(({ name, value }) => {
    const writer = protobuf.Writer.create();
    return writer.uint32(0x0a).string(name).uint32(0x12).string(value).finish();
  });
}
