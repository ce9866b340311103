/**
 * The configuration of the stack's own Prometheus.
 *
 * In:  what is scraped, where, how often. Out: the text of prometheus.yml.
 *
 * Source: Prometheus, "Configuration". The rules are those that the Compose file mounts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemErrorCode } from "../errors.ts";
import { packagedFile } from "./packaged-files.ts";

export interface ScrapeTarget {
  /** Dashboards know it by this name. */
  readonly job: string;
  /** `host:port`, with metrics at `/metrics`. */
  readonly address: string;
}

/** Where `plimsoll run` is to serve its own metrics beside the stack; a registered port of no other program. */
export const runMetricsAddress = "127.0.0.1:9464";

export interface PrometheusSettings {
  /** E.g. `5s`. */
  readonly scrapeInterval: string;
  /** As Prometheus writes it, e.g. `2y`. */
  readonly retention: string;
}

/** Where the configuration is in the stack's folder. */
export function prometheusConfigFile(folder: string): string {
  return join(folder, "prometheus.yml");
}

/** @returns whether it differs from what was there */
export function writePrometheusConfig(
  folder: string,
  targets: readonly ScrapeTarget[],
  settings: PrometheusSettings,
): boolean {
  const file = prometheusConfigFile(folder);
  const config = toPrometheusConfig(targets, settings);
  if (readIfThere(file) === config) return false;
  writeFileSync(file, config, { mode: 0o600 });
  return true;
}

export function toPrometheusConfig(
  targets: readonly ScrapeTarget[],
  { scrapeInterval, retention }: PrometheusSettings,
): string {
  return stringify({
    global: { scrape_interval: scrapeInterval, evaluation_interval: "15s" },
    // Whatever is young enough to be kept is taken in: runs of last year are back-filled.
    storage: { tsdb: { out_of_order_time_window: retention } },
    // Prometheus takes a pattern that matches nothing for no rules.
    rule_files: [packagedFile("provisioning/prometheus/rules/*.yml")],
    scrape_configs: [...targets, { job: "plimsoll", address: runMetricsAddress }].map(
      ({ job, address }) => ({ job_name: job, static_configs: [{ targets: [address] }] }),
    ),
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
