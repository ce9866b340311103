/**
 * The server's application on what it stands on for real: the embedded repository, live runs whose samples go to a
 * receiver of ours. For `inject`, or listening at a free loopback port.
 */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Role, RunRepository } from "../../src/runs/run-repository.ts";
import type { RunService } from "../../src/runs/run-service.ts";
import { createRunCharts, type RunCharts } from "../../src/charts/run-charts.ts";
import { createStore } from "../../src/query/store.ts";
import { createAdmission } from "../../src/server/admission.ts";
import { createApp, type ServerDependencies } from "../../src/server/app.ts";
import { runFilesIn } from "../../src/server/run-files.ts";
import { createServerMetrics } from "../../src/server/server-metrics.ts";
import { TokenAuthenticator } from "../../src/server/tokens.ts";
import { openLiveService } from "./live-service.ts";

export interface ServerHost extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly repository: RunRepository;
  readonly service: RunService;
  /** One of each role. */
  readonly tokens: Readonly<Record<Role, string>>;
  /** What it has logged. */
  readonly log: readonly string[];
  /** Asks with a token. */
  ask(
    token: string,
    method: NonNullable<InjectOptions["method"]>,
    url: string,
    body?: object,
  ): Promise<LightMyRequestResponse>;
}

export interface ServerHostOptions extends Pick<
  ServerDependencies,
  "limits" | "certificate" | "trustedProxies"
> {
  /** Of the tokens and the limits. Default: the system's. */
  readonly clock?: Clock;
  /** Default: a store that is away. */
  readonly charts?: RunCharts;
}

const noStore = createStore(
  {
    displayUrl: "http://store.test/api/v1/write",
    ask: async () => ({ kind: "failure", text: "nothing listens there" }),
  },
  new URL("http://store.test/api/v1/query"),
);

export async function startServerHost({
  clock = systemClock,
  charts = createRunCharts(noStore),
  ...options
}: ServerHostOptions = {}): Promise<ServerHost> {
  const live = await openLiveService();
  const { repository, service, tokens, dataDir } = live;
  const log: string[] = [];
  const metrics = createServerMetrics(() => service.outputs);
  const app = await createApp({
    ...options,
    repository,
    service,
    files: runFilesIn(dataDir),
    authenticator: new TokenAuthenticator(repository, clock),
    admission: createAdmission({
      clock,
      openRunsOf: (name) => service.openRunsOf(name),
      onRefused: (kind) => metrics.refused(`too_many_${kind}s`),
    }),
    metrics,
    charts,
    clock,
    publicUrl: "https://k6.test",
    log: { write: (line) => log.push(line) },
  });
  return {
    app,
    repository,
    service,
    tokens,
    log,
    ask: (token, method, url, body) =>
      app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${token}` },
        ...(body && { payload: body }),
      }),
    async [Symbol.asyncDispose]() {
      await app.close();
      await live[Symbol.asyncDispose]();
    },
  };
}
