/**
 * Writes any series to a store by remote write 1.0, with protobufjs' reflective encoder: what an exporter would have
 * been scraped for, at any time.
 */
import { compressSync } from "snappy";
import { WriteRequest } from "./remote-write-proto.ts";

export interface WrittenSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** In order of time. */
  readonly points: readonly (readonly [timeMs: number, value: number])[];
}

/** @throws Error with the store's answer, where it takes less than all. */
export async function writeSeries(
  writeUrl: string,
  series: readonly WrittenSeries[],
): Promise<void> {
  const timeseries = series.map(({ name, labels, points }) => ({
    labels: Object.entries({ ...labels, __name__: name })
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, value]) => ({ name: label, value })),
    samples: points.map(([timestamp, value]) => ({ timestamp, value })),
  }));
  const message = WriteRequest.encode(WriteRequest.fromObject({ timeseries })).finish();
  await postRequest(writeUrl, compressSync(message));
}

/**
 * Sends a compressed request of remote write 1.0.
 *
 * @throws Error with the store's answer, where it takes less than all.
 */
export async function postRequest(writeUrl: string, body: Uint8Array): Promise<void> {
  const response = await fetch(writeUrl, {
    method: "POST",
    headers: {
      "content-type": "application/x-protobuf",
      "content-encoding": "snappy",
      "x-prometheus-remote-write-version": "0.1.0",
    },
    body,
  });
  if (!response.ok) {
    throw new Error(`the store answers ${response.status}: ${await response.text()}`);
  }
}
