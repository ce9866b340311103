/**
 * Errors as the server answers them: one shape for every route that is not k6's own.
 *
 *     {"error": {"code": "not_found", "message": "there is no run 7", "details": [{"code", "message", "target"}]}}
 *
 * It is the shape of k6's v6 API, so that k6 prints what it gets from a route of ours, too.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { PlimsollError } from "../errors.ts";
import { StoreUnreachable } from "../query/store.ts";
import { ServiceUnavailable } from "./live/service-unavailable.ts";

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  /** What of the request is meant, e.g. `thresholds`. */
  readonly target?: string;
}

/** Thrown by a route: the answer is the error. */
export class HttpError extends Error {
  /** Where Fastify, and plugins that answer in another shape, look for the status. */
  readonly statusCode: number;
  /** For programs. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];

  constructor(
    statusCode: number,
    code: string,
    message: string,
    details: readonly ErrorDetail[] = [],
  ) {
    super(message);
    this.name = "HttpError";
    this.statusCode = statusCode;
    this.code = code;
    this.details = details;
  }
}

export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details?: readonly ErrorDetail[];
  };
}

/** The server's error handler: answers, and logs what is a fault of the server. */
export function answerError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const known = toHttpError(error);
  if (known.statusCode >= 500 && !(error instanceof HttpError)) {
    request.log.error({ err: error, req: request }, "request failed");
  }
  if (known.statusCode === 401) void reply.header("WWW-Authenticate", "Bearer");
  void reply.code(known.statusCode).send(toErrorBody(known));
}

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const [path] = request.url.split("?");
  void reply
    .code(404)
    .send(toErrorBody(new HttpError(404, "not_found", `there is no ${request.method} ${path}`)));
}

function toErrorBody({ code, message, details }: HttpError): ErrorBody {
  return { error: { code, message, ...(details.length > 0 && { details }) } };
}

/** Fastify's own refusals, by its code. Source: Fastify, docs/Reference/Errors.md. */
const refusals: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_JSON_BODY: "invalid_json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_json",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid_content_length",
  FST_ERR_BAD_URL: "invalid_url",
};

function toHttpError(error: FastifyError): HttpError {
  if (error instanceof HttpError) return error;
  if (error.validation) return toValidationError(error);
  if (error instanceof PlimsollError && error.code !== "SPOOL_UNUSABLE") {
    return new HttpError(400, error.code.toLowerCase(), error.message);
  }
  if (error instanceof ServiceUnavailable) return new HttpError(503, "unavailable", error.message);
  if (error instanceof StoreUnreachable) {
    return new HttpError(502, "store_unreachable", error.message);
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) {
    return new HttpError(status, "internal", "the server could not do this; its log says why");
  }
  // A parser may put what it was given into its message.
  return new HttpError(status, refusals[error.code] ?? "invalid_request", messageOfRefusal(error));
}

function messageOfRefusal({ code, message }: FastifyError): string {
  return code === "FST_ERR_BAD_URL" ? "the path cannot be decoded" : message;
}

/** All that is wrong, each in words and with its place. */
function toValidationError({ validation = [], validationContext }: FastifyError): HttpError {
  const details = validation.map(({ instancePath, message = "is invalid", params, keyword }) => {
    const target = [instancePath.slice(1).replaceAll("/", "."), ...missing(params)]
      .filter((part) => part !== "")
      .join(".");
    return {
      code: "invalid",
      message: inWords(keyword, message, params),
      target: target === "" ? (validationContext ?? "request") : target,
    };
  });
  const text = details.map(({ target, message }) => `${target}: ${message}`).join("; ");
  return new HttpError(400, "validation_error", text, details);
}

function missing(params: Readonly<Record<string, unknown>>): string[] {
  const { missingProperty, additionalProperty } = params;
  return [missingProperty, additionalProperty].filter((name) => typeof name === "string");
}

function inWords(
  keyword: string,
  message: string,
  { allowedValues }: Readonly<Record<string, unknown>>,
): string {
  if (keyword === "required") return "is missing";
  if (keyword === "additionalProperties") return "is not known here";
  if (keyword === "enum" && Array.isArray(allowedValues)) {
    return `is not one of ${allowedValues.join(", ")}`;
  }
  return message;
}
