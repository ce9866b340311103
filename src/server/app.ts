/**
 * The HTTP application: one origin for k6's APIs, our own, and what watches the server.
 *
 * In:  what it depends on, so that tests use `inject`; `cli/run-server.ts` listens.
 * Out: a Fastify instance. Closing it answers what is under way and closes neither the service nor the repository.
 */
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { RunCharts } from "../charts/run-charts.ts";
import type { Clock } from "../clock.ts";
import type { Freshness } from "../cloud/api/cloud-api-options.ts";
import { registerCloudApi } from "../cloud/api/cloud-api.ts";
import type { Admission } from "../runs/admission.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import type { RunService } from "../runs/run-service.ts";
import { version } from "../version.ts";
import { registerApi } from "./api/register.ts";
import { maxRunParamLength } from "./api/schemas.ts";
import type { RunFiles } from "./run-files.ts";
import { addHealth } from "./health.ts";
import { answerError } from "./http-error.ts";
import {
  type Certificate,
  createHttpServer,
  defaultHttpLimits,
  type HttpLimits,
} from "./http-server.ts";
import { addLimits, defaultRequestLimits, type RequestLimits } from "./limits.ts";
import type { FeedLimits } from "./live-feed/live-feeds.ts";
import type { Page } from "./page/page.ts";
import { addPage, answerNowhere } from "./page/page-routes.ts";
import { setSecurityHeaders } from "./security-headers.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { addSessions } from "./session/session.ts";
import type { TokenAuthenticator } from "./tokens.ts";
import { closeUnusedConnections } from "./unused-connections.ts";
import { WrongTokens } from "./wrong-tokens.ts";

/** Of a JSON body; routes that take more say so. */
const bodyLimitBytes = 2 ** 20;

/**
 * What k6 is asked for: as short as it can be set without half-full buckets. k6 pushes what is due, so that looking for it
 * more often costs nothing and takes half a second off. Measured: docs/k6-cloud.md, "How fresh".
 */
const defaultFreshness: Freshness = {
  pushIntervalMs: 200,
  aggregationPeriodMs: 1_000,
  aggregationWaitMs: 1_000,
};

export interface ServerDependencies {
  readonly repository: RunRepository;
  readonly service: RunService;
  readonly files: RunFiles;
  readonly authenticator: TokenAuthenticator;
  readonly admission: Admission;
  readonly metrics: ServerMetrics;
  readonly clock: Clock;
  /** Whether samples of a run are here that its stores do not have yet. */
  readonly isPending: (runId: number) => boolean;
  /** What the store that the runs' samples go to knows of them. */
  readonly charts: RunCharts;
  /** How k6 and people reach the server; no slash at its end. */
  readonly publicUrl: string;
  /** What a browser gets. */
  readonly page: Page;
  /** Where Grafana is, if it was said. */
  readonly grafanaUrl?: string | undefined;
  /** What other servers on the same database ask of this one; absent where there are none. */
  readonly peers?: FastifyPluginAsync | undefined;
  /** HTTPS where there is one. */
  readonly certificate?: Certificate | undefined;
  /** Proxies in front, whose `X-Forwarded-For` is believed: addresses and networks. */
  readonly trustedProxies?: readonly string[];
  /** One JSON object a line. */
  readonly log: { write(line: string): unknown };
  readonly limits?: Partial<HttpLimits & RequestLimits & FeedLimits>;
}

export async function createApp(dependencies: ServerDependencies): Promise<FastifyInstance> {
  const { metrics, certificate, page, publicUrl, clock } = dependencies;
  const wrongTokens = new WrongTokens(clock, metrics);
  const limits = { ...defaultHttpLimits, ...defaultRequestLimits, ...dependencies.limits };
  const app = Fastify({
    serverFactory: (listener) => createHttpServer(listener, certificate, limits),
    forceCloseConnections: "idle",
    trustProxy: [...(dependencies.trustedProxies ?? [])],
    bodyLimit: bodyLimitBytes,
    // A testid has the test's name in it.
    routerOptions: { maxParamLength: maxRunParamLength },
    logger: {
      level: "info",
      stream: { write: (line) => void dependencies.log.write(line) },
      serializers: { req: toLoggedRequest },
    },
    // A line for each push of each generator would hide all others.
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => {
      // A request that no route was looked for has no hooks.
      setSecurityHeaders(reply.raw);
      answerError(error, request, reply);
    },
    // Ours keeps unknown properties where Fastify takes them out: what is misspelled is an error, not an omission.
    ajv: { customOptions: { removeAdditional: false, allErrors: true } },
  });
  closeUnusedConnections(app);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNowhere(page));
  app.decorateRequest("principal", undefined);
  app.addHook("onResponse", async (request, reply) => {
    if (request.isStream) return;
    metrics.answered({
      method: request.routeOptions.url === undefined ? "" : request.method,
      route: request.routeOptions.url ?? "",
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    });
  });
  app.addHook("onRequest", async (_, reply) => setSecurityHeaders(reply.raw));
  app.addHook("onSend", async (_, reply) => {
    void reply.header("Server", `plimsoll/${version}`);
  });
  addSessions(app, publicUrl);
  await addLimits(app, { ...dependencies, wrongTokens, limits });
  addHealth(app, dependencies);
  await registerCloudApi(app, {
    ...dependencies,
    freshness: defaultFreshness,
    onRefused: (reason) => metrics.refused(reason),
  });
  await registerApi(app, { ...dependencies, wrongTokens });
  addPage(app, page);
  if (dependencies.peers) await app.register(dependencies.peers);
  return app;
}

/** No header and no query string: both may hold a token. */
function toLoggedRequest({ method, url, ip }: FastifyRequest): Record<string, string> {
  const [path = ""] = url.split("?");
  return { method, path, remoteAddress: ip };
}
