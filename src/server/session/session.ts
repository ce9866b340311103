/**
 * Makes the cookie as good as a token in the header, for `/api/v1` alone: k6's own APIs are asked by k6.
 *
 * In:  requests of browsers.
 * Out: `request.sessionToken`, which `authenticate.ts` and the limits take; 403 for what another page has asked.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { tokenOf } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { isFromOurPage } from "./our-page.ts";
import { SessionCookie } from "./session-cookie.ts";

declare module "fastify" {
  interface FastifyInstance {
    readonly sessionCookie: SessionCookie;
  }
  interface FastifyRequest {
    /** Of the cookie; undefined where the header has one, and where none is taken. */
    readonly sessionToken: string | undefined;
  }
}

/** For the whole server: also its limits tell whose token is right. */
export function addSessions(app: FastifyInstance, publicUrl: string): void {
  const cookie = new SessionCookie(publicUrl);
  app.decorate("sessionCookie", cookie);
  app.decorateRequest("sessionToken", {
    getter(this: FastifyRequest) {
      // The route, not the path, which may be written in many ways.
      const takesCookie = this.routeOptions.url?.startsWith("/api/v1/") ?? false;
      if (!takesCookie || tokenOf(this.headers.authorization) !== undefined) return undefined;
      return cookie.read(this.headers.cookie);
    },
  });
}

/** A hook for all routes that take the cookie. */
export function refuseOtherPages(publicUrl: string): (request: FastifyRequest) => Promise<void> {
  const { origin } = new URL(publicUrl);
  return async (request) => {
    if (request.sessionToken !== undefined) assertFromOurPage(request, origin);
  };
}

/** @throws HttpError */
export function assertFromOurPage(request: FastifyRequest, publicOrigin: string): void {
  if (isFromOurPage(request, publicOrigin)) return;
  throw new HttpError(
    403,
    "cross_site",
    `what a browser is signed in to is only for the page at ${publicOrigin} to ask: ` +
      'expected "Sec-Fetch-Site: same-origin", or its "Origin"; programs send "Authorization: Bearer TOKEN"',
  );
}
