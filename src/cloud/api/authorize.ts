/**
 * Who may ask for what. Checked before a body is read, so that nobody else's is.
 *
 *     push    logs in, starts runs, pushes to runs, follows and ends those that it started
 *     read    follows every run, and lists
 *     run     pushes to its one run, follows and ends it
 *
 * `read` may all that `push` may. k6 says `Token T` in its older API and `Bearer T` in the newer one; both
 * are understood in both, for a generator may be given any URL to push to.
 */
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import type { Admission, MadeKind } from "../../runs/admission.ts";
import type { Authenticator, Principal } from "../../runs/principal.ts";
import { type Role, roles, type RunRepository } from "../../runs/run-repository.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import { ApiError } from "./errors.ts";
import { idOf } from "./read-request.ts";

/** Whom k6 may speak for: a share link is for people to look at. */
type Generator = Principal & { readonly role: Role | "run" };

/** Of requests that have been let in. */
const principals = new WeakMap<FastifyRequest, Generator>();

/** Who asks; only where a hook of this module has let it in. */
export function principalOf(request: FastifyRequest): Generator {
  const principal = principals.get(request);
  if (principal === undefined) throw new Error("the route has no authorisation");
  return principal;
}

/** Lets in users' tokens of at least this role. */
export function usersOnly(authenticator: Authenticator, role: Role): onRequestAsyncHookHandler {
  return async (request) => {
    const principal = await identify(authenticator, tokenOfHeader(request));
    if (principal.role === "run") {
      throw new ApiError(403, "this token is for one test run, not for this");
    }
    if (!hasRole(principal, role)) {
      throw new ApiError(403, `this token has the role ${principal.role}; this needs ${role}`);
    }
    principals.set(request, principal);
  };
}

/** Lets whoever was let in make one more of these. @throws ApiError 429, which k6 prints */
export function admit(
  kind: MadeKind,
  admission: Admission,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refusal = admission.admit(kind, principalOf(request).name);
  if (refusal === undefined) return;
  void reply.header("Retry-After", String(refusal.retryAfterSeconds));
  throw new ApiError(429, refusal.message);
}

/** Lets in who may push to the run that the path names: its own token, and users that may push. */
export function pushersOnly(authenticator: Authenticator): onRequestAsyncHookHandler {
  return async (request) => {
    const principal = await identify(authenticator, tokenOfHeader(request));
    if (principal.role === "run" && principal.runId !== idOf(request)) {
      throw new ApiError(403, "this token is for another test run");
    }
    principals.set(request, principal);
  };
}

/**
 * The run that the path names: for its own token, for users that may read all runs, and for those that started it.
 *
 * @throws ApiError 404 for everybody else, too: whether there is one is not their business
 */
export async function runOf(
  request: FastifyRequest,
  repository: RunRepository,
): Promise<RunRecord> {
  const id = idOf(request);
  const principal = principalOf(request);
  const run = await repository.run(id);
  const mayFollow =
    principal.role === "run"
      ? principal.runId === id
      : hasRole(principal, "read") || run?.startedBy === principal.name;
  if (run === undefined || !mayFollow) {
    throw new ApiError(404, `there is no test run ${id} that this token may see`);
  }
  return run;
}

async function identify(
  authenticator: Authenticator,
  token: string | undefined,
): Promise<Generator> {
  if (token === undefined) {
    throw new ApiError(401, "no token: set K6_CLOUD_TOKEN, or k6 cloud login --token");
  }
  const principal = await authenticator.authenticate(token);
  if (principal === undefined) {
    throw new ApiError(401, "this server does not know the token, or it was revoked");
  }
  const { role } = principal;
  if (role === "share") throw new ApiError(403, "a share link shows a test run, and is not for k6");
  return { ...principal, role };
}

function tokenOfHeader(request: FastifyRequest): string | undefined {
  const [, token] = /^(?:Token|Bearer) +(\S+) *$/i.exec(request.headers.authorization ?? "") ?? [];
  return token;
}

function hasRole(principal: Generator, role: Role): boolean {
  return principal.role !== "run" && roles.indexOf(principal.role) >= roles.indexOf(role);
}
