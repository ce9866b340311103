/**
 * The server's application on what it stands on for real: the embedded repository, live runs whose samples go to a
 * receiver of ours. For `inject`, or listening at a free loopback port.
 */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { type Clock, systemClock } from "../../src/clock.ts";
import { resolveOptions } from "../../src/config/resolve-options.ts";
import type { Role, RunRepository } from "../../src/runs/run-repository.ts";
import type { RunService } from "../../src/runs/run-service.ts";
import { createApp, type ServerDependencies } from "../../src/server/app.ts";
import { LiveRunService } from "../../src/server/live/run-service.ts";
import { runFilesIn } from "../../src/server/run-files.ts";
import { createServerMetrics } from "../../src/server/server-metrics.ts";
import { createToken, hashToken, issueToken, TokenAuthenticator } from "../../src/server/tokens.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { startReceiverServer } from "./receiver-server.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

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

export interface ServerHostOptions extends Pick<ServerDependencies, "limits" | "certificate"> {
  /** Of the tokens and the limits. Default: the system's. */
  readonly clock?: Clock;
}

export async function startServerHost({
  clock = systemClock,
  ...options
}: ServerHostOptions = {}): Promise<ServerHost> {
  const folder = await createTemporaryFolder();
  const dataDir = folder.path;
  const receiver = await startReceiverServer();
  const repository = await openRepository({ dataDir, clock: systemClock });
  const { values } = resolveOptions({ flags: { url: { flag: "--url", value: receiver.url } } });
  const service = await LiveRunService.open({
    repository,
    outputs: [{ ...values, dataDir, spoolDir: `${dataDir}/spool` }],
    dataDir,
    ownerUrl: "http://localhost",
    drainTimeoutMs: 1_000,
    createToken: () => {
      const token = createToken("plr");
      return { token, hash: hashToken(token) };
    },
    clock: systemClock,
    random: Math.random,
    userAgent: "plimsoll/test",
    onNotice: () => undefined,
  });
  const issue = async (role: Role): Promise<string> =>
    (await issueToken(repository, { name: `${role} token`, role, nowMs: Date.now() })).token;
  const tokens = {
    push: await issue("push"),
    read: await issue("read"),
    admin: await issue("admin"),
  };
  const log: string[] = [];
  const app = await createApp({
    ...options,
    repository,
    service,
    files: runFilesIn(dataDir),
    authenticator: new TokenAuthenticator(repository, clock),
    metrics: createServerMetrics(() => service.outputs),
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
      for (const part of [service, repository, receiver, folder]) await part[Symbol.asyncDispose]();
    },
  };
}
