/**
 * Signs each request for Amazon Managed Service for Prometheus.
 *
 * In:  credentials that may change, the request as it is sent. Out: `Authorization` and the `X-Amz-` headers it covers.
 * Nothing of the secret key is sent. Source: reference in sigv4-signature.ts; the headers are those of Prometheus,
 * `prometheus/sigv4`, less what a proxy may change.
 */
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { AwsCredentialSource } from "./aws-credentials.ts";
import type { OutgoingRequest, Preparation, RequestAuth } from "./request-auth.ts";
import {
  sha256Hex,
  sigv4Authorization,
  toAmzDate,
  type AwsCredentials,
} from "./sigv4-signature.ts";

/** What Amazon Managed Service for Prometheus calls itself in signatures. */
const service = "aps";

export interface SigV4Options {
  readonly region: string;
  readonly credentials: AwsCredentialSource;
  readonly clock: Clock;
}

export class SigV4Auth implements RequestAuth {
  readonly #options: SigV4Options;
  #used: AwsCredentials | undefined;

  constructor(options: SigV4Options) {
    this.#options = options;
  }

  async prepare({ method, url, headers, body }: OutgoingRequest): Promise<Preparation> {
    const { region, credentials: source, clock } = this.#options;
    let credentials: AwsCredentials;
    try {
      credentials = await source.get();
    } catch (error) {
      return missing(error);
    }
    this.#used = credentials;
    const timestampMs = clock.nowMs();
    const bodyHash = sha256Hex(body);
    const { sessionToken } = credentials;
    const amzHeaders = {
      "X-Amz-Content-Sha256": bodyHash,
      "X-Amz-Date": toAmzDate(timestampMs),
      ...(sessionToken !== undefined && { "X-Amz-Security-Token": sessionToken }),
    };
    const contentType = headers["Content-Type"];
    const signed = {
      host: url.host,
      ...(contentType !== undefined && { "content-type": contentType }),
      ...Object.fromEntries(
        Object.entries(amzHeaders).map(([name, value]) => [name.toLowerCase(), value]),
      ),
    };
    const authorization = sigv4Authorization(
      { method, url, headers: signed, bodyHash },
      credentials,
      { region, service, timestampMs },
    );
    return {
      kind: "ready",
      headers: { ...amzHeaders, Authorization: authorization },
      secrets: [credentials.secretAccessKey, sessionToken ?? ""],
    };
  }

  async refresh(): Promise<boolean> {
    // Before the wait: another queue may use the new ones in the meantime.
    const refused = this.#used;
    try {
      const { accessKeyId, sessionToken } = await this.#options.credentials.renew();
      return accessKeyId !== refused?.accessKeyId || sessionToken !== refused.sessionToken;
    } catch {
      // The next attempt says why.
      return false;
    }
  }

  async close(): Promise<void> {}
}

/**
 * The texts of AWS's package name the profile, the file or the service that failed. What it calls so means that there is
 * nothing to be found; anything else, that the search failed.
 */
function missing(error: unknown): Preparation {
  const isNowhere = error instanceof Error && error.name === "CredentialsProviderError";
  return {
    kind: "missing",
    reason: isNowhere ? "credentials_refused" : "credentials_unavailable",
    text: `there are no AWS credentials to sign with: ${messageOf(error)}`,
  };
}
