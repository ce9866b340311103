/**
 * Several servers on one database: the one that started a run has its samples, and the others hand on what they are asked
 * about it.
 *
 *     POST <owner>/peer/v1/runs/ID/push?instance=&key=   the body as it came   -> PushOutcome
 *     POST <owner>/peer/v1/runs/ID/log                   lines                 -> whether there is such a run
 *     POST <owner>/peer/v1/runs/ID/archive               a tar                 -> the same
 *     POST <owner>/peer/v1/runs/ID/end, …/stop           ReportedEnd, who      -> the record, StopOutcome
 *
 * A server proves that it is one by what only the database knows of the run (`runs/run-proof.ts`). It is good for this run
 * and nothing else, as the run's own token is.
 */
import type { Readable } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import { InputError, messageOf } from "../../errors.ts";
import { isProof, proofOf } from "../../runs/run-proof.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunRepository, RunServer } from "../../runs/run-repository.ts";
import type {
  LogLine,
  MetricsPush,
  PushOutcome,
  ReportedEnd,
  RunService,
  StartedRun,
  StartRun,
  StopOutcome,
} from "../../runs/run-service.ts";
import { ServiceUnavailable } from "./service-unavailable.ts";

export interface PeersOptions {
  readonly repository: RunRepository;
  /** Of this server. */
  readonly serverId: string;
}

/** k6 itself waits for a minute. */
const timeoutMs = 30_000;
const archiveTimeoutMs = 10 * 60_000;
/** The largest that a server takes from k6. */
const bodyLimitBytes = 16 * 1024 ** 2;

/** Of how many runs it is remembered that they are this server's. */
const rememberedRuns = 10_000;

const contentType = "application/octet-stream";

/** The own service for runs of this server, and the owners' for others. */
export class PeerRunService implements RunService {
  readonly #own: RunService;
  readonly #options: PeersOptions;
  /** Nobody else takes them while this server is there, and a push to them must not need the database. */
  readonly #ownRuns = new Set<number>();

  constructor(own: RunService, options: PeersOptions) {
    this.#own = own;
    this.#options = options;
  }

  async start(request: StartRun): Promise<StartedRun> {
    return await this.#own.start(request);
  }

  async push(push: MetricsPush): Promise<PushOutcome> {
    const { runId, instance, key, body } = push;
    const owner = await this.#ownerOf(runId);
    if (owner === undefined) return await this.#own.push(push);
    const query = new URLSearchParams({ instance, key }).toString();
    return await this.#ask<PushOutcome>(owner, runId, `push?${query}`, body);
  }

  async log(runId: number, lines: readonly LogLine[]): Promise<boolean> {
    const owner = await this.#ownerOf(runId);
    if (owner === undefined) return await this.#own.log(runId, lines);
    const texts = lines.map((line) => ({ ...line, timeNs: line.timeNs.toString() }));
    return await this.#ask<boolean>(owner, runId, "log", JSON.stringify(texts));
  }

  async saveArchive(runId: number, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    const owner = await this.#ownerOf(runId);
    if (owner === undefined) return await this.#own.saveArchive(runId, tar);
    return await this.#ask<boolean>(owner, runId, "archive", tar, archiveTimeoutMs);
  }

  async end(runId: number, end: ReportedEnd): Promise<RunRecord | undefined> {
    const owner = await this.#ownerOf(runId);
    if (owner === undefined) return await this.#own.end(runId, end);
    await this.#ask<null>(owner, runId, "end", JSON.stringify(end));
    return await this.#options.repository.run(runId);
  }

  async stop(runId: number, by: string): Promise<StopOutcome> {
    const owner = await this.#ownerOf(runId);
    if (owner === undefined) return await this.#own.stop(runId, by);
    return await this.#ask<StopOutcome>(owner, runId, "stop", JSON.stringify(by));
  }

  /** Undefined where it is this server, or none. */
  async #ownerOf(runId: number): Promise<RunServer | undefined> {
    if (this.#ownRuns.has(runId)) return undefined;
    const owner = await this.#options.repository.ownerOf(runId);
    if (owner?.id !== this.#options.serverId) return owner;
    this.#ownRuns.add(runId);
    if (this.#ownRuns.size > rememberedRuns) {
      const [oldest = runId] = this.#ownRuns;
      this.#ownRuns.delete(oldest);
    }
    return undefined;
  }

  async #ask<Answer>(
    { url: address }: RunServer,
    runId: number,
    what: string,
    body: string | Uint8Array | AsyncIterable<Uint8Array>,
    patienceMs: number = timeoutMs,
  ): Promise<Answer> {
    const hash = (await this.#options.repository.tokenHash(runId)) ?? "";
    const url = `${address}/peer/v1/runs/${runId}/${what}`;
    let response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${proofOf("peer", hash, runId)}`,
          "Content-Type": contentType,
        },
        body: body as RequestInit["body"],
        ...(typeof body !== "string" && !(body instanceof Uint8Array) && { duplex: "half" }),
        redirect: "error",
        signal: AbortSignal.timeout(patienceMs),
      } as RequestInit);
    } catch (cause) {
      const text = `the server ${address}, which has run ${runId}, cannot be reached: ${messageOf(cause)}`;
      throw new ServiceUnavailable(text, { cause });
    }
    const answer = await response.text();
    // The owner's handlers below answer what the service's methods give.
    if (response.ok) return JSON.parse(answer) as Answer;
    if (response.status === 400) throw new InputError(answer);
    throw new ServiceUnavailable(`the server ${address} answers ${response.status}: ${answer}`);
  }
}

/**
 * What the others ask this server.
 *
 * @param own The service of this server's own runs.
 */
export function peerRoutes(
  own: RunService,
  { repository, serverId }: PeersOptions,
): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(async (error, _request, reply) => {
      const status = error instanceof InputError ? 400 : 503;
      return await reply.code(status).type("text/plain").send(messageOf(error));
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(contentType, { parseAs: "buffer" }, (_request, body, done) =>
      done(null, body),
    );
    app.addHook("onRequest", async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const [, given = ""] = /^Bearer (.*)$/.exec(request.headers.authorization ?? "") ?? [];
      const isPeer = isProof(given, "peer", await repository.tokenHash(Number(id)), Number(id));
      if (!isPeer) return await reply.code(401).send({ error: "for servers on the same database" });
      // Behind one address there may be several servers, of which we are not the one that is meant.
      if ((await repository.ownerOf(Number(id)))?.id !== serverId) {
        const text =
          "the run is another server's, which is not at this address: give it a --peer-url";
        return await reply.code(409).type("text/plain").send(text);
      }
    });
    const route = (what: string, answer: (asked: Asked) => Promise<unknown>): void => {
      app.post<{ Params: { id: string }; Querystring: Record<string, string> }>(
        `/peer/v1/runs/:id/${what}`,
        { bodyLimit: bodyLimitBytes },
        async (request, reply) => {
          const { params, query, body } = request;
          const answered = await answer({ runId: Number(params.id), query, body: body as Buffer });
          // Fastify takes a string for text.
          return await reply.type("application/json").send(JSON.stringify(answered ?? null));
        },
      );
    };
    route("push", ({ runId, query, body }) =>
      own.push({ runId, instance: query["instance"] ?? "", key: query["key"] ?? "", body }),
    );
    route("log", ({ runId, body }) => own.log(runId, toLines(body)));
    route("end", async ({ runId, body }) => {
      // What `PeerRunService` sends.
      await own.end(runId, JSON.parse(body.toString()) as ReportedEnd);
    });
    route("stop", ({ runId, body }) => own.stop(runId, JSON.parse(body.toString()) as string));
    await app.register(archiveRoute(own));
  };
}

interface Asked {
  readonly runId: number;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Its body is a stream, and as long as the other server lets it be. */
function archiveRoute(own: RunService): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(contentType, (_request, payload, done) => done(null, payload));
    app.post<{ Params: { id: string } }>("/peer/v1/runs/:id/archive", async (request, reply) => {
      const isSaved = await own.saveArchive(Number(request.params.id), request.body as Readable);
      return await reply.type("application/json").send(JSON.stringify(isSaved));
    });
  };
}

function toLines(body: Buffer): LogLine[] {
  // What `PeerRunService` sends.
  const lines = JSON.parse(body.toString()) as (Omit<LogLine, "timeNs"> & { timeNs: string })[];
  return lines.map((line) => ({ ...line, timeNs: BigInt(line.timeNs) }));
}
