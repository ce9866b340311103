/**
 * How the scraping of the stack goes, asked of its Prometheus.
 *
 * Source: Prometheus HTTP API, "Targets".
 */
import { z } from "zod";

export interface TargetHealth {
  /** `unknown` until the first scrape. */
  readonly health: "up" | "down" | "unknown";
  /** Why it is down. */
  readonly error?: string | undefined;
}

const answer = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.object({ job: z.string() }),
        health: z.enum(["up", "down", "unknown"]),
        lastError: z.string(),
      }),
    ),
  }),
});

const timeoutMs = 2_000;

/** By job. Empty where Prometheus does not answer. */
export async function readTargets(prometheusUrl: string): Promise<Map<string, TargetHealth>> {
  try {
    const url = `${prometheusUrl}/api/v1/targets?state=active`;
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const { data } = answer.parse(await response.json());
    return new Map(
      data.activeTargets.map(({ labels, health, lastError }) => [
        labels.job,
        { health, error: lastError === "" ? undefined : lastError },
      ]),
    );
  } catch {
    // It has ended or is not ready, which the status of Prometheus itself says.
    return new Map();
  }
}
