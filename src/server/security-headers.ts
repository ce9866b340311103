/**
 * What every answer tells a browser, so that nothing in it runs, is framed or is read by another page; the page's own answers
 * allow their own script and style.
 *
 * They are set before anything else happens, on the response itself: also a refusal and a stream of events have them.
 *
 * Source: W3C Content Security Policy Level 3; OWASP HTTP Headers Cheat Sheet.
 */
import type { ServerResponse } from "node:http";

/** Of the page: nothing inline, nothing from elsewhere. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=()",
};

/** Of answers that are data, which is somebody's. */
const dataHeaders: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** An answer that sets one of them itself replaces it. */
export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(dataHeaders)) response.setHeader(name, value);
}
