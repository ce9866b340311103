/**
 * Where AWS credentials come from.
 *
 * Fixed keys, and those in AWS's own variables, are taken as they are. Everything else (profiles, single sign-on, web
 * identity, containers, instances, roles) is the work of AWS's package `@aws-sdk/credential-providers`, an optional peer
 * dependency of 16 MB that is loaded only here. It reads the process's environment by itself, so this file does, too.
 */
import { env } from "node:process";
import type * as Providers from "@aws-sdk/credential-providers";
import type { Clock } from "../../clock.ts";
import { ConfigError, systemErrorCode } from "../../errors.ts";
import type { AwsCredentials } from "./sigv4-signature.ts";

export interface AwsCredentialSource {
  /** Rejects with what AWS's package says. */
  get(): Promise<AwsCredentials>;
  /** As `get`, but does not take what it had before. */
  renew(): Promise<AwsCredentials>;
}

export interface AwsCredentialOptions {
  /** Of the security token service. */
  readonly region: string;
  readonly keys: AwsCredentials | undefined;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile: string | undefined;
  /** Taken on with the credentials that the other options give. */
  readonly roleArn: string | undefined;
  readonly clock: Clock;
}

interface ExpiringCredentials extends AwsCredentials {
  readonly expiration?: Date;
}

/** Renewed this long before they expire. Source: AWS SDK for JavaScript 3, `resolveAwsSdkSigV4Config`. */
const renewBeforeExpiryMs = 5 * 60_000;

/** Where they expire soon and there are no others yet, they are asked for this often. */
const leastRenewMs = 5_000;

/** Credentials without an expiry are looked up again this often: the files they are from may have changed. */
const recheckMs = 60_000;

/** What a role's session is called in AWS's own logs. */
const roleSessionName = "plimsoll";

/** @throws ConfigError if AWS's package is needed and not installed */
export async function openAwsCredentials(
  options: AwsCredentialOptions,
): Promise<AwsCredentialSource> {
  const { keys = keysOfEnvironment(options.profile), profile, roleArn, region, clock } = options;
  if (keys !== undefined && roleArn === undefined) {
    const get = () => Promise.resolve(keys);
    return { get, renew: get };
  }
  const { fromIni, fromNodeProviderChain, fromTemporaryCredentials } = await loadProviders();
  const shared = { clientConfig: { region }, ignoreCache: true };
  const fetch = async (): Promise<ExpiringCredentials> => {
    // Each time a provider of its own, because each keeps what it has found.
    const find =
      profile === undefined ? fromNodeProviderChain(shared) : fromIni({ ...shared, profile });
    if (roleArn === undefined) return await find();
    return await fromTemporaryCredentials({
      ...shared,
      params: { RoleArn: roleArn, RoleSessionName: roleSessionName },
      masterCredentials: keys ?? find,
    })();
  };
  return new CachedCredentials(fetch, clock);
}

/**
 * One lookup at a time, whoever asks. While the credentials at hand are valid nobody waits for one, or for its failure.
 */
class CachedCredentials implements AwsCredentialSource {
  readonly #fetch: () => Promise<ExpiringCredentials>;
  readonly #clock: Clock;
  #cached: { readonly credentials: AwsCredentials; readonly expiresAtMs: number } | undefined;
  #renewAtMs = 0;
  #pending: Promise<AwsCredentials> | undefined;

  constructor(fetch: () => Promise<ExpiringCredentials>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  async get(): Promise<AwsCredentials> {
    const nowMs = this.#clock.nowMs();
    const cached = this.#cached;
    if (cached === undefined || nowMs >= cached.expiresAtMs) return await this.renew();
    if (nowMs >= this.#renewAtMs) {
      this.#renewAtMs = nowMs + leastRenewMs;
      this.renew().catch(() => {
        // Those at hand are used until they expire; then the failure is told.
      });
    }
    return cached.credentials;
  }

  renew(): Promise<AwsCredentials> {
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #renew(): Promise<AwsCredentials> {
    const credentials = await this.#fetch();
    const { expiration } = credentials;
    const nowMs = this.#clock.nowMs();
    const expiresAtMs = expiration?.getTime() ?? Infinity;
    this.#cached = { credentials, expiresAtMs };
    this.#renewAtMs =
      expiresAtMs === Infinity
        ? nowMs + recheckMs
        : Math.max(expiresAtMs - renewBeforeExpiryMs, nowMs + leastRenewMs);
    return credentials;
  }
}

/** A profile that is named wins over the variables, as in AWS's own programs. */
function keysOfEnvironment(profile: string | undefined): AwsCredentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE } = env;
  if (profile !== undefined || AWS_PROFILE || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    return undefined;
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

async function loadProviders(): Promise<typeof Providers> {
  try {
    return await import("@aws-sdk/credential-providers");
  } catch (cause) {
    if (systemErrorCode(cause) !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new ConfigError(
      [
        {
          option: "SigV4",
          message:
            "credentials of a profile, a role or a web identity are found by AWS's own package, which is not installed: " +
            "npm install @aws-sdk/credential-providers beside plimsoll, or give an access key and its secret key",
          source: "this installation",
        },
      ],
      { cause },
    );
  }
}
