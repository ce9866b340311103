/**
 * k6's cloud API on what it stands on for real: the embedded repository, the server's tokens, live runs whose samples
 * go to a receiver of ours. For `inject`; `listen` makes it reachable for k6.
 */
import Fastify, { type FastifyInstance } from "fastify";
import { systemClock } from "../../src/clock.ts";
import { registerCloudApi } from "../../src/cloud/api/cloud-api.ts";
import type { Role, RunRepository } from "../../src/runs/run-repository.ts";
import type { RunService } from "../../src/runs/run-service.ts";
import { createAdmission } from "../../src/server/admission.ts";
import { TokenAuthenticator } from "../../src/server/tokens.ts";
import { openLiveService } from "./live-service.ts";

export interface CloudApiHost extends AsyncDisposable {
  readonly app: FastifyInstance;
  /** As k6 is told. */
  readonly url: string;
  readonly repository: RunRepository;
  readonly service: RunService;
  /** A user's, one of each role. */
  readonly tokens: Readonly<Record<Role, string>>;
  readonly folder: string;
}

export interface CloudApiHostOptions {
  readonly publicUrl?: string;
  /** Listens at a free loopback port, which is then the public URL. */
  readonly listens?: boolean;
}

export async function startCloudApi({
  publicUrl = "https://k6.test",
  listens = false,
}: CloudApiHostOptions = {}): Promise<CloudApiHost> {
  const live = await openLiveService();
  const { repository, service, tokens, dataDir } = live;
  const app = Fastify();
  const host = { publicUrl };
  await registerCloudApi(app, {
    service,
    repository,
    authenticator: new TokenAuthenticator(repository, systemClock),
    admission: createAdmission({
      clock: systemClock,
      openRunsOf: (name) => service.openRunsOf(name),
      onRefused: () => undefined,
    }),
    onRefused: () => undefined,
    get publicUrl() {
      return host.publicUrl;
    },
    freshness: { pushIntervalMs: 1_000, aggregationPeriodMs: 1_000, aggregationWaitMs: 1_000 },
    clock: systemClock,
  });
  if (listens) {
    host.publicUrl = await app.listen({ host: "127.0.0.1", port: 0 });
  }
  return {
    app,
    url: host.publicUrl,
    repository,
    service,
    tokens,
    folder: dataDir,
    async [Symbol.asyncDispose]() {
      await app.close();
      await live[Symbol.asyncDispose]();
    },
  };
}
