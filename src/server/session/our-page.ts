/**
 * Whether a request comes from our own page: of a cookie that says nothing, because a browser adds it to whatever any page asks.
 *
 * SameSite=Strict is not enough: another port of the host is the same site.
 *
 * Source: W3C Fetch Metadata Request Headers, 2.4 (`Sec-Fetch-Site`); Fetch Standard, 3.2 (`Origin`).
 */
import type { FastifyRequest } from "fastify";

/** @param publicOrigin where browsers reach the server, e.g. `https://k6.example` */
export function isFromOurPage(request: FastifyRequest, publicOrigin: string): boolean {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const site = request.headers["sec-fetch-site"];
  // `none`: typed into the address bar.
  if (site !== undefined) return site === "same-origin" || (isRead && site === "none");
  // Browsers say it only where a host is trustworthy: https, or this machine. `Origin` they say with every change.
  const { origin } = request.headers;
  if (origin === undefined) return isRead;
  // A page elsewhere cannot choose the host of what it asks: that it is the same as its own says that it is ours.
  return origin === publicOrigin || origin === `${request.protocol}://${request.host}`;
}
