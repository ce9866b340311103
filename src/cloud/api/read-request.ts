/**
 * What requests of every family hold: an id in the path, a JSON body, who generates.
 *
 * In:  anything.
 * Out: values of the right type, or an `ApiError` that names what is wrong with each field.
 */
import type { Multipart } from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { messageOf } from "../../errors.ts";
import { testNameFromK6 } from "../../runs/run-identity.ts";
import { ApiError, type FieldProblem } from "./errors.ts";

/** k6 before v2.2 reads ids as int32. */
const maxId = 2 ** 31 - 1;

/** An id of the path. One that cannot be is one that does not exist. */
export function idOf(request: FastifyRequest): number {
  const { id = "" } = request.params as { id?: string };
  const value = /^[1-9]\d{0,9}$/.test(id) ? Number(id) : 0;
  if (value === 0 || value > maxId) {
    throw new ApiError(404, `there is nothing with the id ${JSON.stringify(id)}`);
  }
  return value;
}

/** @throws ApiError with all that is wrong */
export function readBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const fields: FieldProblem[] = error.issues.map(({ path, message }) => ({
    field: path.join("."),
    message,
  }));
  throw new ApiError(400, "the request cannot be understood", { fields });
}

/** What k6 and its SDK count with. */
export const int32: z.ZodNumber = z.int().min(0).max(maxId);
/** As `plimsoll run` names the same script. k6 itself refuses longer ones. */
export const testName: z.ZodType<string> = z.string().min(1).max(300).transform(testNameFromK6);

/** Name and version, from `User-Agent: k6cloud/2.2.0`; of anything else its first word. */
export function generatorOf(request: FastifyRequest): string {
  const agent = request.headers["user-agent"] ?? "";
  const [, version] = /^k6cloud\/(\S{1,50})/.exec(agent) ?? [];
  return version === undefined ? (/^\S{1,50}/.exec(agent)?.[0] ?? "unknown") : `k6/${version}`;
}

/** The same for a request that k6 repeats; empty where it has none. */
export function idempotencyKeyOf(request: FastifyRequest): string {
  return request.headers["k6-idempotency-key"]?.toString().slice(0, 100) ?? "";
}

/**
 * The parts of a form, one after the other.
 *
 * @throws ApiError for what is no form, or breaks off
 */
export async function* partsOf(request: FastifyRequest): AsyncGenerator<Multipart> {
  if (!request.isMultipart()) throw new ApiError(415, "expected multipart/form-data");
  try {
    yield* request.parts();
  } catch (error) {
    // Those of its limits know their status.
    if (error instanceof Error && "statusCode" in error) throw error;
    throw new ApiError(400, `the form cannot be read: ${messageOf(error)}`);
  }
}

/** JSON as k6 sends it: a call without a body says that it is JSON, too. */
export function acceptJson(app: FastifyInstance, limitBytes: number): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string", bodyLimit: limitBytes },
    (request, body, done) => {
      // With `parseAs` it is never a buffer.
      if (body === "") done(null, undefined);
      else void parse(request, body as string, done);
    },
  );
}
