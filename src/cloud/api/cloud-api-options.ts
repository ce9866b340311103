/**
 * What k6's cloud API stands on: passed in by the server, handed on to each family of routes.
 */
import type { FastifyRequest } from "fastify";
import type { Clock } from "../../clock.ts";
import type { Admission } from "../../runs/admission.ts";
import type { Authenticator } from "../../runs/principal.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import type { PushExcess, RunService } from "../../runs/run-service.ts";
import { ApiError } from "./errors.ts";

/** How soon a sample leaves k6: it goes out between `aggregationWaitMs - aggregationPeriodMs` and all three together. */
export interface Freshness {
  /** Above zero. */
  readonly pushIntervalMs: number;
  /** Width of k6's buckets. Whole seconds above zero, or k6 does not start. */
  readonly aggregationPeriodMs: number;
  /** How long a bucket stays open. Whole seconds, not less than the period: else buckets leave half full. */
  readonly aggregationWaitMs: number;
}

export interface CloudApiOptions {
  readonly service: RunService;
  readonly repository: RunRepository;
  readonly authenticator: Authenticator;
  readonly admission: Admission;
  /** A push was refused; to be counted. */
  readonly onRefused: (reason: PushExcess) => void;
  /** Where k6 and people reach this server; without a slash at its end. */
  readonly publicUrl: string;
  readonly freshness: Freshness;
  readonly clock: Clock;
}

/** Bytes. A push, an archive and logs have limits of their own. */
export const limits: Readonly<Record<"json" | "logs" | "metrics" | "archive", number>> = {
  json: 1 << 20,
  // k6 is asked for no more than a thousand lines of ten thousand characters at a time.
  logs: 16 << 20,
  // As it comes, compressed.
  metrics: 16 << 20,
  archive: 100 << 20,
};

/** Characters: it is a label's value, which people read. */
const maxInstanceLength = 100;

/**
 * The name of the generator in `K6_CLOUD_HOST=https://host/agents/NAME`; empty where it has none.
 *
 * @throws ApiError for one that is too long
 */
export function instanceOf(request: FastifyRequest): string {
  // The prefix is the only one with this name.
  const { instance = "" } = request.params as { instance?: string };
  if (instance.length > maxInstanceLength) {
    throw new ApiError(
      400,
      `the generator's name has ${instance.length} characters, more than ${maxInstanceLength}`,
    );
  }
  return instance;
}

/** For the URLs that k6 is told to use: the name of the generator stays in them. */
export function baseUrlOf(request: FastifyRequest, { publicUrl }: CloudApiOptions): string {
  const instance = instanceOf(request);
  return instance === "" ? publicUrl : `${publicUrl}/agents/${encodeURIComponent(instance)}`;
}

/** The page of a run. */
export function pageUrlOf(runId: number, { publicUrl }: CloudApiOptions): string {
  return `${publicUrl}/runs/${runId}`;
}
