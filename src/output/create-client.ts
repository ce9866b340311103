/**
 * Makes the HTTP client of a receiver from options: reads the files that hold secrets and certificates.
 */
import { readFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { InputError, messageOf } from "../errors.ts";
import { RemoteWriteClient, type RemoteWriteTls } from "../send/remote-write-client.ts";

/** @throws InputError if a file that an option names cannot be read */
export async function createClient(
  options: RemoteWriteOptions,
  { clock, userAgent }: { readonly clock: Clock; readonly userAgent: string },
): Promise<RemoteWriteClient> {
  const { url, username, timeoutMs } = options;
  const password = options.password ?? (await secretFrom(options.passwordFile));
  const bearerToken = options.bearerToken ?? (await secretFrom(options.bearerTokenFile));
  return new RemoteWriteClient({
    url,
    userAgent,
    clock,
    timeoutMs,
    connections: options.queues,
    headers: Object.fromEntries(options.headers),
    tls: await tlsFrom(options),
    ...(username !== undefined && { basic: { username, password: password ?? "" } }),
    ...(bearerToken !== undefined && { bearerToken }),
  });
}

async function tlsFrom(options: RemoteWriteOptions): Promise<RemoteWriteTls> {
  const ca = await textFrom(options.tlsCaFile);
  const cert = await textFrom(options.clientCertificate);
  const key = await textFrom(options.clientCertificateKey);
  return {
    insecureSkipVerify: options.insecureSkipTlsVerify,
    minVersion: `TLSv${options.tlsMinVersion}`,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** A secret, without the newline that an editor puts at the end of a file. */
async function secretFrom(path: string | undefined): Promise<string | undefined> {
  return (await textFrom(path))?.replace(/\r?\n$/, "");
}

async function textFrom(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InputError(`${JSON.stringify(path)} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
