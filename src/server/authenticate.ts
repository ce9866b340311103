/**
 * Who asks, for the routes of our own API: a hook that lets through who may.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Authenticator, Principal } from "../runs/principal.ts";
import { type Role, roles } from "../runs/run-repository.ts";
import { HttpError } from "./http-error.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by `requireRole`. */
    principal: Principal | undefined;
  }
}

/** k6's older APIs say `Token`, everybody else `Bearer`. */
export function tokenOf(authorization: string | undefined): string | undefined {
  return /^(?:bearer|token) +(\S+)$/i.exec(authorization ?? "")?.[1];
}

/** The header's token, else the cookie's. */
export function credentialOf(request: FastifyRequest): string | undefined {
  return tokenOf(request.headers.authorization) ?? request.sessionToken;
}

export interface Allowed {
  readonly role: Role;
  /** Whether the token of a run will do as well; whether it is that run is for the route to see. */
  readonly orRun?: boolean;
  /** Whether a share link will do as well: only where nothing is changed, and for the route to see of which run. */
  readonly orShare?: boolean;
}

/** Answers 401 to who is unknown, 403 to who may not. */
export function requireRole(
  authenticator: Authenticator,
  { role, orRun = false, orShare = false }: Allowed,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const token = credentialOf(request);
    if (token === undefined) {
      throw new HttpError(
        401,
        "unauthenticated",
        'no token: expected "Authorization: Bearer TOKEN"',
      );
    }
    const principal = await authenticator.authenticate(token);
    if (!principal) {
      // Revoked, or over: whoever is signed in with it is not any more.
      if (request.sessionToken !== undefined) {
        void reply.header("Set-Cookie", request.server.sessionCookie.clear());
      }
      throw new HttpError(401, "unauthenticated", "the token is not known");
    }
    request.principal = principal;
    if (principal.role === "run") {
      if (orRun) return;
      throw new HttpError(403, "forbidden", "the token of a run is for that run alone");
    }
    if (principal.role === "share") {
      if (orShare) return;
      throw new HttpError(403, "forbidden", "a share link shows one run, and nothing else");
    }
    if (roles.indexOf(principal.role) < roles.indexOf(role)) {
      throw new HttpError(
        403,
        "forbidden",
        `the token ${JSON.stringify(principal.name)} has the role ${principal.role}, and this takes ${role}`,
      );
    }
  };
}

/** Of a request that `requireRole` has let through. */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (!principal) throw new Error("the route is open to everybody");
  return principal;
}
