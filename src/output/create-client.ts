/**
 * Makes the HTTP client of a receiver from options: opens the files that hold secrets and certificates.
 */
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { RemoteWriteClient } from "../send/remote-write-client.ts";
import { TextFile, type TextSource } from "../send/text-source.ts";
import { isLoopback, Transport, type TransportTls } from "../send/transport.ts";
import { createAuth } from "./create-auth.ts";

/** Headers that say for whom and not by whom, in lower case; messages are of use only with their values. */
const tenantHeaders: ReadonlySet<string> = new Set(["x-scope-orgid", "thanos-tenant"]);

export interface ClientContext {
  readonly clock: Clock;
  /** Name and version, e.g. `plimsoll/1.2.3`. */
  readonly userAgent: string;
  /** Something that the user did not ask for and should know. */
  readonly onNotice?: (text: string) => void;
}

/**
 * @throws InputError if a file that an option names cannot be read; ConfigError if something that an option needs is not
 * installed, or a proxy variable holds no URL
 */
export async function createClient(
  options: RemoteWriteOptions,
  context: ClientContext,
): Promise<RemoteWriteClient> {
  const { timeoutMs, proxyUrl, queues } = options;
  const url = new URL(options.url);
  const transport = new Transport({
    url,
    timeoutMs,
    connections: queues,
    proxyUrl,
    tls: await openTls(options),
  });
  // So that a wrong proxy variable is an error of the start.
  await transport.dispatcher();
  if (sendsSecret(options) && url.protocol === "http:" && !isLoopback(url.hostname)) {
    context.onNotice?.(
      `the credentials for ${JSON.stringify(url.origin)} go unencrypted, where anybody on the way can read them: ` +
        "use https, if the receiver speaks it",
    );
  }
  return new RemoteWriteClient({
    url: options.url,
    userAgent: context.userAgent,
    clock: context.clock,
    timeoutMs,
    headers: Object.fromEntries(options.headers),
    auth: await createAuth(options, context),
    transport,
    secrets: [
      url.search.slice(1),
      ...[...options.headers].flatMap(([name, value]) =>
        tenantHeaders.has(name.toLowerCase()) ? [] : value,
      ),
    ],
  });
}

/** SigV4 proves that the sender has a secret and does not send it. */
function sendsSecret({
  username,
  bearerToken,
  bearerTokenFile,
  oauth2ClientId,
}: RemoteWriteOptions): boolean {
  return [username, bearerToken, bearerTokenFile, oauth2ClientId].some(
    (option) => option !== undefined,
  );
}

async function openTls(options: RemoteWriteOptions): Promise<TransportTls> {
  const ca = await open(options.tlsCaFile);
  const cert = await open(options.clientCertificate);
  const key = await open(options.clientCertificateKey);
  return {
    insecureSkipVerify: options.insecureSkipTlsVerify,
    minVersion: `TLSv${options.tlsMinVersion}`,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

async function open(path: string | undefined): Promise<TextSource | undefined> {
  return path === undefined ? undefined : await TextFile.open(path);
}
