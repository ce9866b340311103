/**
 * What a server stands on, for real: the embedded repository with a token of each role, and live runs whose samples go
 * to a receiver of ours.
 */
import { systemClock } from "../../src/clock.ts";
import { resolveOptions } from "../../src/config/resolve-options.ts";
import type { Role, RunRepository } from "../../src/runs/run-repository.ts";
import { LiveRunService, type RunServiceOptions } from "../../src/server/live/run-service.ts";
import { createToken, hashToken, issueToken } from "../../src/server/tokens.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { startReceiverServer } from "./receiver-server.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface LiveService extends AsyncDisposable {
  readonly repository: RunRepository;
  readonly service: LiveRunService;
  /** A user's, one of each role. */
  readonly tokens: Readonly<Record<Role, string>>;
  readonly dataDir: string;
}

/** @param wrap Puts something before the repository of the service, e.g. a delay. */
export async function openLiveService(
  wrap: (repository: RunRepository) => RunRepository = (repository) => repository,
  options: Partial<RunServiceOptions> = {},
): Promise<LiveService> {
  const folder = await createTemporaryFolder();
  const dataDir = folder.path;
  const receiver = await startReceiverServer();
  const repository = await openRepository({ dataDir, clock: systemClock });
  const service = await openRunService({
    repository: wrap(repository),
    dataDir,
    writeUrl: receiver.url,
    ...options,
  });
  const issue = async (role: Role): Promise<string> =>
    (await issueToken(repository, { name: `${role} token`, role, nowMs: Date.now() })).token;
  return {
    repository,
    service,
    tokens: {
      push: await issue("push"),
      read: await issue("read"),
      admin: await issue("admin"),
    },
    dataDir,
    async [Symbol.asyncDispose]() {
      for (const part of [service, repository, receiver, folder]) await part[Symbol.asyncDispose]();
    },
  };
}

/** The service of one server: live runs in a data directory. */
export async function openRunService({
  repository,
  dataDir,
  writeUrl,
  ...options
}: Pick<RunServiceOptions, "repository" | "dataDir"> &
  Partial<RunServiceOptions> & { readonly writeUrl: string }): Promise<LiveRunService> {
  const { values } = resolveOptions({ flags: { url: { flag: "--url", value: writeUrl } } });
  return await LiveRunService.open({
    repository,
    outputs: [{ ...values, dataDir, spoolDir: `${dataDir}/spool` }],
    dataDir,
    peerUrl: "http://localhost",
    drainTimeoutMs: 1_000,
    createToken: () => {
      const token = createToken("plr");
      return { token, hash: hashToken(token) };
    },
    clock: systemClock,
    random: Math.random,
    userAgent: "plimsoll/test",
    onNotice: () => undefined,
    ...options,
  });
}
