/**
 * k6's cloud API on one origin: each family of routes with its prefix, its errors and its limits.
 *
 *     /v1  /v2  /cloud/v6  /provisioning/v1  /ingest  /upload
 *
 * All of it once more below `/agents/NAME`, which names the generator among several: K6_CLOUD_HOST and K6_CLOUD_HOST_V6
 * may hold a path.
 */
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { uploadRoutes } from "./archive-upload.ts";
import type { CloudApiOptions } from "./cloud-api-options.ts";
import { answerErrorsAs, type Family } from "./errors.ts";
import { legacyRoutes } from "./legacy-v1.ts";
import { logRoutes } from "./logs-push.ts";
import { legacyMetricsRoutes, scopedMetricsRoutes } from "./metrics-push.ts";
import { provisioningRoutes } from "./provisioning.ts";
import { v6Routes } from "./v6.ts";

/** What is below a prefix: in whose shape it answers errors, and its routes. */
const parts: readonly {
  readonly prefix: string;
  readonly family: Family;
  readonly routes: readonly ((options: CloudApiOptions) => FastifyPluginAsync)[];
}[] = [
  { prefix: "/v1", family: "legacy", routes: [legacyRoutes] },
  { prefix: "/v2", family: "legacy", routes: [legacyMetricsRoutes] },
  { prefix: "/cloud/v6", family: "v6", routes: [v6Routes] },
  { prefix: "/provisioning/v1", family: "provisioning", routes: [provisioningRoutes] },
  { prefix: "/ingest", family: "provisioning", routes: [scopedMetricsRoutes, logRoutes] },
  { prefix: "/upload", family: "provisioning", routes: [uploadRoutes] },
];

/** The server's own limits, logs and errors hold where these have none. */
export async function registerCloudApi(
  app: FastifyInstance,
  options: CloudApiOptions,
): Promise<void> {
  for (const base of ["", "/agents/:instance"]) {
    for (const { prefix, family, routes } of parts) {
      await app.register(
        async (part) => {
          answerErrorsAs(family, part);
          for (const plugin of routes) await part.register(plugin(options));
        },
        { prefix: base + prefix },
      );
    }
  }
}
