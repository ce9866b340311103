/**
 * A run through the whole pipeline to a scripted receiver, for the tests of the specifications: every kind of metric,
 * several intervals, tags of all sorts.
 */
import {
  PrometheusRemoteWrite,
  type RunReport,
} from "../../src/library/prometheus-remote-write.ts";
import type { PrometheusRemoteWriteOptions } from "../../src/library/options.ts";
import type { RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import type { DecodedSeries } from "./decode-write-request.ts";
import {
  type ReceivedRequest,
  type ReceiverServerOptions,
  startReceiverServer,
} from "./receiver-server.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface ConformanceRun {
  readonly requests: readonly ReceivedRequest[];
  /** What the strict receiver objects to; see strict-receiver.ts. */
  readonly violations: readonly string[];
  readonly report: RunReport;
  /** The path of the URL that was configured, with its query. */
  readonly path: string;
}

/** Distinct time series, each with its points in the order in which they were received. */
export function seriesOf({ requests }: Pick<ConformanceRun, "requests">): DecodedSeries[][] {
  const series = new Map<string, DecodedSeries[]>();
  for (const one of requests.flatMap((request) => request.series)) {
    const key = JSON.stringify(one.labels);
    series.set(key, [...(series.get(key) ?? []), one]);
  }
  return [...series.values()];
}

/** The label's value, of one series. */
export function labelOf({ labels }: DecodedSeries, wanted: string): string | undefined {
  return labels.find(({ name }) => name === wanted)?.value;
}

/** Tags that are no labels as they are, and some that are. */
const tagSets: readonly Readonly<Record<string, string>>[] = [
  { route: "/cart", Zone: "upper", zone: "lower", a_b: "1" },
  { "a.b": "dot", "a-b": "dash", a_b: "kept" },
  { __name__: "k6_stolen", __reserved: "x", "1st": "digit" },
  { empty: "", "": "no name", blank: " " },
  { имя: "значение", emoji: "⚓", surrogate: "\ud800", line: "a\nb" },
  { testid: "stolen", le: "0.5", condition: "maybe" },
];

/** `script` is the receiver's; the receiver is asked nothing beforehand unless `options` say so. */
export async function conformanceRun(
  protocol: RemoteWriteProtocol,
  script: ReceiverServerOptions = {},
  options: PrometheusRemoteWriteOptions = {},
): Promise<ConformanceRun> {
  await using folder = await createTemporaryFolder();
  await using receiver = await startReceiverServer(script);
  const url = `${receiver.url}/of/the/user?tenant=a`;
  const output = await PrometheusRemoteWrite.start({
    url,
    testid: "run-1",
    test: "conformance",
    spoolDir: folder.path,
    pushInterval: "1s",
    preflight: false,
    protocol,
    trends: "native",
    ...options,
  });
  const counter = output.counter("orders");
  const gauge = output.gauge("queue");
  const rate = output.rate("failed");
  const trend = output.trend("duration", { contains: "time" });
  const startMs = Date.now() - 4_000;
  for (let n = 0; n < 60; n++) {
    const timestampMs = startMs + n * 50;
    const tags = tagSets[n % tagSets.length] ?? {};
    counter.add(1.5, tags, timestampMs);
    gauge.set(-n / 3, tags, timestampMs);
    rate.add(n % 3 === 0, tags, timestampMs);
    trend.add(10 + n, tags, timestampMs);
  }
  // What is not sent: it would be a NaN in the store, and at the epoch.
  gauge.set(NaN);
  counter.add(1, {}, 0);
  const report = await output.finish();
  const { pathname, search } = new URL(url);
  const { requests, violations } = receiver;
  return { requests: [...requests], violations: [...violations], report, path: pathname + search };
}
