/**
 * Who the receiver is and how it is set, as far as it tells: the status APIs beside its remote-write endpoint.
 *
 * Source: Prometheus HTTP API, "Status"; Mimir HTTP API, "Build information" and "Get tenant limits". VictoriaMetrics
 * answers `buildinfo` with an old version of Prometheus or with none, and says its own in `/metrics`.
 */
import { z } from "zod";
import { queryUrlOf } from "../query/instant-query.ts";
import type { ReceiverAnswer } from "../send/classify-response.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";

export interface StoreStatus {
  /** E.g. `Prometheus`; undefined where nobody says. */
  readonly application: string | undefined;
  readonly version: string | undefined;
  /** As Prometheus writes it, e.g. `30m`; `0s` where it takes none. Undefined where it does not say. */
  readonly outOfOrderWindow: string | undefined;
  /** E.g. `15d`, `15d or 10GiB`. */
  readonly retention: string | undefined;
  /** Of the tenant, in Mimir. */
  readonly limits: TenantLimits | undefined;
}

export interface TenantLimits {
  /** Samples per second. */
  readonly ingestionRate: number;
  readonly ingestionBurst: number;
  /** 0: no limit. */
  readonly maxSeries: number;
}

const timeoutMs = 5_000;

const buildInfo = z.object({
  data: z.object({ version: z.string().optional(), application: z.string().optional() }),
});
const config = z.object({ data: z.object({ yaml: z.string() }) });
const runtimeInfo = z.object({ data: z.object({ storageRetention: z.string() }) });
const userLimits = z.object({
  ingestion_rate: z.number(),
  ingestion_burst_size: z.number(),
  max_global_series_per_user: z.number(),
});

export async function askStatus(writeUrl: string, client: RemoteWriteClient): Promise<StoreStatus> {
  const ask = async <T>(schema: z.ZodType<T>, url: URL): Promise<T | undefined> =>
    schema.safeParse(await client.getJson(url, timeoutMs)).data;
  const build = await ask(buildInfo, statusUrl(writeUrl, "buildinfo"));
  const store = await nameOf(writeUrl, client, build?.data);
  if (store.application !== "Prometheus") {
    const limits =
      store.application === undefined || store.application === "VictoriaMetrics"
        ? undefined
        : await ask(userLimits, new URL("/api/v1/user_limits", writeUrl));
    return {
      ...store,
      outOfOrderWindow: undefined,
      retention: undefined,
      limits: limits && {
        ingestionRate: limits.ingestion_rate,
        ingestionBurst: limits.ingestion_burst_size,
        maxSeries: limits.max_global_series_per_user,
      },
    };
  }
  const yaml = (await ask(config, statusUrl(writeUrl, "config")))?.data.yaml;
  const window = /^\s*out_of_order_time_window:\s*(\S+)/m.exec(yaml ?? "")?.[1];
  const runtime = await ask(runtimeInfo, statusUrl(writeUrl, "runtimeinfo"));
  return {
    ...store,
    outOfOrderWindow: yaml === undefined ? undefined : (window ?? "0s"),
    retention: runtime?.data.storageRetention || undefined,
    limits: undefined,
  };
}

/** Any answer of the receiver's, for its clock. */
export async function askTime(
  writeUrl: string,
  client: RemoteWriteClient,
): Promise<ReceiverAnswer | undefined> {
  return await client.get(statusUrl(writeUrl, "buildinfo"), timeoutMs);
}

async function nameOf(
  writeUrl: string,
  client: RemoteWriteClient,
  build: z.infer<typeof buildInfo>["data"] | undefined,
): Promise<Pick<StoreStatus, "application" | "version">> {
  if (build?.application !== undefined) {
    return { application: build.application, version: build.version };
  }
  const metrics = (await client.get(new URL("/metrics", writeUrl), timeoutMs))?.body ?? "";
  if (/^vm_/m.test(metrics)) {
    const version = /^vm_app_version\{[^}]*short_version="v?([^"]+)"/m.exec(metrics)?.[1];
    return { application: "VictoriaMetrics", version };
  }
  // Thanos, Cortex and others answer no buildinfo, or one with an application.
  return build?.version === undefined
    ? { application: undefined, version: undefined }
    : { application: "Prometheus", version: build.version };
}

function statusUrl(writeUrl: string, name: string): URL {
  const query = queryUrlOf(writeUrl) ?? new URL("/api/v1/query", writeUrl);
  return new URL(query.href.replace(/query$/, `status/${name}`));
}
