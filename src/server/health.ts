/**
 * For whoever starts and watches the server: `/-/healthy` (the process answers), `/-/ready` (it can take samples), as
 * Prometheus has them, and `/metrics`. It listens when the runs of before are taken up: that it answers says so.
 */
import type { FastifyInstance } from "fastify";
import type { Authenticator } from "../runs/principal.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import { requireRole } from "./authenticate.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** A database that takes longer is as good as away. */
const databaseTimeoutMs = 2_000;

export function addHealth(
  app: FastifyInstance,
  {
    repository,
    authenticator,
    metrics,
  }: {
    readonly repository: RunRepository;
    readonly authenticator: Authenticator;
    readonly metrics: ServerMetrics;
  },
): void {
  app.get("/-/healthy", async () => ({ status: "healthy" }));
  app.get("/-/ready", async (_, reply) => {
    if (await answers(repository)) return { status: "ready" };
    void reply.code(503);
    return { status: "not ready", reason: "the database does not answer" };
  });
  // It names every run that goes on.
  const onRequest = requireRole(authenticator, { role: "read" });
  app.get("/metrics", { onRequest }, async (_, reply) => {
    void reply.type(metrics.contentType);
    return await metrics.metrics();
  });
}

async function answers(repository: RunRepository): Promise<boolean> {
  const timeout = AbortSignal.timeout(databaseTimeoutMs);
  const late = new Promise<boolean>((resolve) => {
    timeout.addEventListener("abort", () => resolve(false), { once: true });
  });
  const asked = repository.projects().then(
    () => true,
    () => false,
  );
  return await Promise.race([asked, late]);
}
