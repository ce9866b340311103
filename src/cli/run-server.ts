/**
 * What `plimsoll serve` does: opens the store, takes up the runs that go on, listens until it is asked to end.
 *
 * Standard output has the log, a JSON object a line; standard error is for whoever started it.
 */
import { once } from "node:events";
import type { FastifyInstance } from "fastify";
import { type Clock, systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { messageOf, UsageError } from "../errors.ts";
import { SteadyClock } from "../library/steady-clock.ts";
import { PeerRunService, peerRoutes } from "../server/live/peers.ts";
import { findFreePort } from "../free-port.ts";
import { createRunCharts } from "../charts/run-charts.ts";
import { createAdmission } from "../server/admission.ts";
import { createApp } from "../server/app.ts";
import { readCertificate, renewCertificate } from "../server/certificate-files.ts";
import { readPage } from "../server/page/page.ts";
import { LiveRunService } from "../server/live/run-service.ts";
import { runFilesIn } from "../server/run-files.ts";
import { createServerMetrics } from "../server/server-metrics.ts";
import { createToken, hashToken, issueFirstToken, TokenAuthenticator } from "../server/tokens.ts";
import { openRepository } from "../store/open-repository.ts";
import { userAgent } from "../version.ts";
import { openQueryStore } from "./open-query-store.ts";
import type { CommandIo } from "./command-io.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { startMetricsServer } from "./metrics-server.ts";
import { peerUrlOf, publicUrlOf } from "./server-url.ts";
import { timeOutLostRuns } from "./lost-runs.ts";

/** What is under way when the server is asked to end has this long. */
const closeTimeoutMs = 10_000;

/** @throws DatabaseError, SpoolError, InputError, UsageError where the server cannot start */
export async function serve(given: Options, io: CommandIo): Promise<void> {
  // The port that `:0` stands for is part of URLs before anybody can listen at it.
  const port = given.listen.port === 0 ? await findFreePort() : given.listen.port;
  const options = { ...given, listen: { ...given.listen, port } };
  const publicUrl = publicUrlOf(options);
  const say = (text: string): void => void io.stderr.write(`plimsoll: ${text}\n`);
  using interrupts = listenForInterrupts({
    onFirst: () => say("ending; Ctrl-C again leaves at once"),
    onSecond: () => say("left at once; what was not sent is sent by the next start"),
  });
  const { tlsCertificateFile: cert, tlsKeyFile: key } = options;
  const files = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  const certificate = files && (await readCertificate(files));

  const clock = steadyClock();
  await using repository = await openRepository({ ...options, clock });
  await timeOutLostRuns(repository, clock);
  const authenticator = new TokenAuthenticator(repository, clock);
  await using own = await LiveRunService.open({
    repository,
    peerUrl: peerUrlOf(options),
    outputs: [options],
    dataDir: options.dataDir,
    runTimeoutMs: options.runTimeoutMs,
    drainTimeoutMs: options.drainTimeoutMs,
    createToken: () => {
      const token = createToken("plr");
      return { token, hash: hashToken(token) };
    },
    clock,
    random: Math.random,
    userAgent,
    onNotice: (text, run) => say(run ? `run ${run.id} (${run.testid}): ${text}` : text),
  });
  await using store = await openQueryStore(options, clock);
  const isShared = options.databaseUrl !== undefined;
  const peers = { repository, serverId: own.serverId };
  const metrics = createServerMetrics(() => own.outputs);
  const app = await createApp({
    repository,
    service: isShared ? new PeerRunService(own, peers) : own,
    peers: isShared ? peerRoutes(own, peers) : undefined,
    files: runFilesIn(options.dataDir),
    authenticator,
    admission: createAdmission({
      clock,
      openRunsOf: (name) => own.openRunsOf(name),
      onRefused: (kind) => metrics.refused(`too_many_${kind}s`),
    }),
    metrics,
    charts: createRunCharts(store),
    clock,
    isPending: (runId) => own.isPending(runId),
    publicUrl,
    page: await readPage(publicUrl),
    grafanaUrl: options.grafanaUrl,
    trustedProxies: options.trustedProxies,
    certificate,
    log: io.stdout,
  });
  await listen(app, options.listen);
  try {
    await using ownMetrics = await startMetricsServer(
      options.metricsListen,
      () => metrics,
      (text) => io.stderr.write(`${text}\n`),
    );
    void ownMetrics;
    if (files && certificate) {
      void renewCertificate(app.server, files, {
        current: certificate,
        clock,
        signal: interrupts.signal,
        onNotice: say,
      });
    }
    // Not before it listens: a start that fails would take the token with it.
    const firstToken = await issueFirstToken(repository, clock.nowMs());
    io.stderr.write(greeting(options, { publicUrl, firstToken, stores: own.stores }));
    if (!interrupts.signal.aborted) await once(interrupts.signal, "abort");
  } finally {
    await close(app);
  }
}

/**
 * A machine's clock that is set back would stop the runs' intervals from closing for as long. Unlike `SteadyClock` alone,
 * whoever sleeps keeps the process alive: what is spooled is sent when nothing listens any longer.
 */
function steadyClock(): Clock {
  const clock = new SteadyClock();
  return { ...systemClock, nowMs: () => clock.nowMs() };
}

async function listen(app: FastifyInstance, { host, port }: Options["listen"]): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw new UsageError(
      `cannot listen at ${host}:${port}: ${messageOf(cause)}; name another address with --listen`,
      { cause },
    );
  }
}

/** Answers what is under way, as long as that takes no longer than a person waits. */
async function close(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs);
  await app.close();
  clearTimeout(timer);
}

function greeting(
  options: Options,
  {
    publicUrl,
    firstToken,
    stores,
  }: {
    readonly publicUrl: string;
    readonly firstToken: string | undefined;
    readonly stores: readonly string[];
  },
): string {
  const { listen, tlsCertificateFile, databaseUrl, dataDir } = options;
  const isLoopback = /^(?:127\.|::1$|localhost$)/.test(listen.host);
  const runs = databaseUrl === undefined ? dataDir : `Postgres at ${new URL(databaseUrl).host}`;
  return [
    `plimsoll: serving at ${publicUrl}; runs in ${runs}`,
    `plimsoll: open ${publicUrl}/ in a browser, and sign in with a token`,
    ...stores.map((store) => `plimsoll: samples to ${store}`),
    ...(isLoopback || tlsCertificateFile !== undefined
      ? []
      : [
          "plimsoll: tokens travel in the clear: give --tls-cert and --tls-key, or have a proxy do TLS",
        ]),
    ...(firstToken === undefined
      ? []
      : [
          "plimsoll: the first start has made an admin token; it is shown once:",
          `  ${firstToken}`,
        ]),
    "plimsoll: where k6 runs:",
    `  eval "$(plimsoll env --server ${publicUrl} --token ${firstToken ?? "TOKEN"})"`,
    "  k6 cloud run --local-execution script.js      (or: k6 run --out cloud script.js)",
    "",
  ].join("\n");
}
