/**
 * Asks a running k6's REST API what a metric contains, which its cloud output does not say.
 *
 * Source: k6 `api/v1/metric_routes.go`, `metric.go`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type ValueKind, valueKinds } from "../sample/metric.ts";

/** k6 enters a new metric every 50 ms, or later when it is busy. */
const attempts = 20;
const pauseMs = 100;
const timeoutMs = 5_000;

/** @param address `host:port`, as k6's `--address` has it. Undefined where k6 does not say. */
export async function contentOf(address: string, metric: string): Promise<ValueKind | undefined> {
  const host = address.startsWith(":") ? `127.0.0.1${address}` : address;
  const url = `http://${host}/v1/metrics/${encodeURIComponent(metric)}`;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      const text = await response.text();
      if (response.ok) {
        const answer = JSON.parse(text) as { data?: { attributes?: { contains?: unknown } } };
        return valueKinds.find((kind) => kind === answer.data?.attributes?.contains);
      }
    } catch {
      // k6 is busy, or on its way out; without an answer the caller says so.
    }
    await delay(pauseMs);
  }
  return undefined;
}
