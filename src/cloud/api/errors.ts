/**
 * Errors in the words of whoever asked: k6 reads another shape in each family of its API.
 *
 *     legacy (/v1, /v2)            {"error": {"message", "code"?, "field_errors"?}}       code 4: stop sending
 *     v6 (/cloud/v6)               {"error": {"code", "message", "details"?}}
 *     provisioning, push, upload   the message alone: k6 prints the body as it is
 *
 * Routes throw; what they throw, what Fastify throws (413, 415, a body that is no JSON) and what does not exist go
 * through the same handler. An error that is not ours is logged, and tells k6 nothing but that it happened.
 *
 * Source: k6 `cloudapi/errors.go`, `internal/cloudapi/v6/errors.go`, `internal/cloudapi/provisioning/errors.go`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { InputError, messageOf } from "../../errors.ts";

export type Family = "legacy" | "v6" | "provisioning";

/** One thing that is wrong with one field of a body. */
export interface FieldProblem {
  /** Its path, e.g. `options.vus`. */
  readonly field: string;
  readonly message: string;
}

/** An answer that is not 2xx. Never leaves the server. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly fields: readonly FieldProblem[];
  /** Whether k6 is to send no more, and to end. Understood with status 403, by the legacy family alone. */
  readonly isStop: boolean;

  constructor(
    statusCode: number,
    message: string,
    { fields = [], isStop = false }: { fields?: readonly FieldProblem[]; isStop?: boolean } = {},
  ) {
    super(message);
    this.name = new.target.name;
    this.statusCode = statusCode;
    this.fields = fields;
    this.isStop = isStop;
  }
}

/** Of the v6 family, whose codes are words. */
const codes: Readonly<Record<number, string>> = {
  400: "validation_error",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "not_supported",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  429: "too_many_requests",
  503: "unavailable",
};

/** What k6 takes for a call to stop sending metrics for good. */
const stopCode = 4;

/** Has errors and unknown paths of a plugin, and of its prefix, answered in the family's shape. */
export function answerErrorsAs(family: Family, app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toApiError(error);
    if (problem.statusCode === 500) request.log.error({ err: error }, "request failed");
    return send(family, problem, reply);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) =>
    send(
      family,
      new ApiError(404, `${request.method} ${pathOf(request)} is not served here`),
      reply,
    ),
  );
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InputError) return new ApiError(400, error.message);
  const statusCode = statusCodeOf(error);
  // Fastify's own and its plugins'; 503 is what the service throws for a run that another server has.
  if (statusCode !== undefined && ((statusCode >= 400 && statusCode < 500) || statusCode === 503)) {
    return new ApiError(statusCode, messageOf(error));
  }
  return new ApiError(500, "internal error of the server; its log says more");
}

function statusCodeOf(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}

function send(family: Family, error: ApiError, reply: FastifyReply): FastifyReply {
  reply.code(error.statusCode);
  switch (family) {
    case "legacy":
      return reply.send(toLegacyBody(error));
    case "v6":
      return reply.send(toV6Body(error));
    case "provisioning":
      return reply.type("text/plain; charset=utf-8").send(toText(error));
  }
}

function toLegacyBody({ message, fields, isStop }: ApiError): object {
  const byField: Record<string, string[]> = {};
  for (const one of fields) (byField[one.field] ??= []).push(one.message);
  return {
    error: {
      message,
      ...(isStop && { code: stopCode }),
      ...(fields.length > 0 && { field_errors: byField }),
    },
  };
}

/** A detail has a `target` or none: k6 panics where it is null. */
function toV6Body({ statusCode, message, fields }: ApiError): object {
  return {
    error: {
      code: codes[statusCode] ?? "error",
      message,
      ...(fields.length > 0 && {
        details: fields.map((one) => ({
          code: "invalid",
          message: one.message,
          ...(one.field !== "" && { target: one.field }),
        })),
      }),
    },
  };
}

function toText({ message, fields }: ApiError): string {
  return [message, ...fields.map((one) => `${one.field}: ${one.message}`)].join("\n");
}

/** Query strings hold tokens. */
function pathOf(request: FastifyRequest): string {
  return request.url.replace(/\?.*/s, "").slice(0, 200);
}
