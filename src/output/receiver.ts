/**
 * Makes the HTTP client of a receiver from options: reads the files that hold secrets and certificates.
 */
import { readFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { InputError, messageOf } from "../errors.ts";
import { RemoteWriteClient, type RemoteWriteTls } from "../send/remote-write-client.ts";

export interface Receiver {
  readonly client: RemoteWriteClient;
  /** What authenticates a request, for questions to the same store. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws InputError if a file that an option names cannot be read */
export async function createReceiver(
  options: RemoteWriteOptions,
  { clock, userAgent }: { readonly clock: Clock; readonly userAgent: string },
): Promise<Receiver> {
  const { url, username, timeoutMs } = options;
  const password = options.password ?? (await secretFrom(options.passwordFile));
  const bearerToken = options.bearerToken ?? (await secretFrom(options.bearerTokenFile));
  const headers = Object.fromEntries(options.headers);
  const client = new RemoteWriteClient({
    url,
    userAgent,
    clock,
    timeoutMs,
    headers,
    tls: await tlsFrom(options),
    ...(username !== undefined && { basic: { username, password: password ?? "" } }),
    ...(bearerToken !== undefined && { bearerToken }),
  });
  let authorization: string | undefined;
  if (bearerToken !== undefined) authorization = `Bearer ${bearerToken}`;
  else if (username !== undefined) {
    authorization = `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`;
  }
  return {
    client,
    headers: { ...headers, ...(authorization && { Authorization: authorization }) },
  };
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
