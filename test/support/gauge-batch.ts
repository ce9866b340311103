/**
 * Requests of many series, for tests of what becomes of some of them.
 */
import { BatchEncoder } from "../../src/encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";

/** One point each of the gauges `g{n="0"}`, `g{n="1"}`, …, with the value `timestampMs`; up to 2 000. */
export function gaugeBatch(
  protocol: RemoteWriteProtocol,
  count: number,
  timestampMs: number,
): EncodedBatch {
  const batches: EncodedBatch[] = [];
  const encoder = new BatchEncoder(protocol, (batch) => batches.push(batch));
  for (let n = 0; n < count; n++) {
    const labels = [
      { name: "__name__", value: "g" },
      { name: "n", value: String(n) },
    ];
    const family = { name: "g", type: "gauge" as const, help: "", unit: "" };
    encoder.float({ id: n, labels, family, isNative: false }, timestampMs, timestampMs, 0);
  }
  encoder.flush();
  const [batch, ...more] = batches;
  if (batch === undefined || more.length > 0)
    throw new Error(`${count} series are not one request`);
  return batch;
}
