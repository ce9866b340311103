/**
 * Under which URL a server is reached: by k6 and people, and by other servers.
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

/** `--peer-url`, or what `--listen` comes to: what is public may lead to any of the servers. */
export function peerUrlOf(
  options: Pick<ServerOptions, "listen" | "peerUrl" | "tlsCertificateFile">,
): string {
  return publicUrlOf({ ...options, publicUrl: options.peerUrl });
}
