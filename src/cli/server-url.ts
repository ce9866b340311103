/**
 * Under which URL a server is reached.
 */
import { hostname } from "node:os";
import type { ServerOptions } from "../config/options.ts";

/** `--public-url`, or what `--listen` comes to; without a slash at its end. */
export function publicUrlOf(
  options: Pick<ServerOptions, "listen" | "publicUrl" | "tlsCertificateFile">,
): string {
  const { publicUrl, listen, tlsCertificateFile } = options;
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
  // Who listens on every interface is reached from elsewhere.
  const host = ["::", "0.0.0.0"].includes(listen.host) ? hostname() : listen.host;
  const scheme = tlsCertificateFile === undefined ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${listen.port}`;
}
