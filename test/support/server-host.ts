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
import type { Page } from "../../src/server/page/page.ts";
import { createServerMetrics } from "../../src/server/server-metrics.ts";
import { TokenAuthenticator } from "../../src/server/tokens.ts";
import { openLiveService } from "./live-service.ts";

/** What `npm run build` makes of src/web, in small. */
const page: Page = {
  index: '<!doctype html>\n<base href="/" /><div id="page"></div>\n',
  assets: new Map([
    [
      "main-abc123.js",
      {
        type: "text/javascript; charset=utf-8",
        plain: Buffer.from("plain();"),
        compressed: { br: Buffer.from("br"), gzip: Buffer.from("gzip") },
      },
    ],
  ]),
};

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
  "limits" | "certificate" | "trustedProxies" | "grafanaUrl"
> {
  /** Of the tokens and the limits. Default: the system's. */
  readonly clock?: Clock;
  /** Default: `https://k6.test`. */
  readonly publicUrl?: string;
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
  publicUrl = "https://k6.test",
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
    isPending: (runId) => service.isPending(runId),
    publicUrl,
    page,
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
