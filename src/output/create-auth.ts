/**
 * Makes what proves who sends, from options: the one method that they name, or none.
 */
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { openAwsCredentials } from "../send/auth/aws-credentials.ts";
import { OAuth2Auth } from "../send/auth/oauth2-auth.ts";
import type { RequestAuth } from "../send/auth/request-auth.ts";
import { basicAuth, tokenAuth } from "../send/auth/secret-auth.ts";
import { SigV4Auth } from "../send/auth/sigv4-auth.ts";
import { fixedText, openSecretFile, TextFile, type TextSource } from "../send/text-source.ts";
import { Transport } from "../send/transport.ts";

/** A token is a small thing: waiting longer only hides from whom the answer did not come. */
const longestTokenWaitMs = 10_000;

/**
 * @throws InputError if a file that an option names cannot be read; ConfigError if AWS's package is needed and not
 * installed, or a proxy variable holds no URL
 */
export async function createAuth(
  options: RemoteWriteOptions,
  { clock, userAgent }: { readonly clock: Clock; readonly userAgent: string },
): Promise<RequestAuth | undefined> {
  const { username, oauth2ClientId, oauth2TokenUrl, sigv4Region } = options;
  const token = await secretFrom(options.bearerToken, options.bearerTokenFile);
  if (token !== undefined) return tokenAuth(options.authorizationType, token);
  if (username !== undefined) {
    const password = await secretFrom(options.password, options.passwordFile);
    return basicAuth(username, password ?? fixedText(""));
  }
  if (oauth2ClientId !== undefined && oauth2TokenUrl !== undefined) {
    const { oauth2ClientSecret, oauth2ClientSecretFile, oauth2TlsCaFile: caFile } = options;
    const clientSecret = await secretFrom(oauth2ClientSecret, oauth2ClientSecretFile);
    const timeoutMs = Math.min(longestTokenWaitMs, options.timeoutMs / 2);
    const transport = new Transport({
      url: new URL(oauth2TokenUrl),
      timeoutMs,
      proxyUrl: options.proxyUrl,
      tls: {
        minVersion: `TLSv${options.tlsMinVersion}`,
        ...(caFile !== undefined && { ca: await TextFile.open(caFile) }),
      },
    });
    // So that a wrong proxy variable is an error of the start.
    await transport.dispatcher();
    return new OAuth2Auth({
      tokenUrl: oauth2TokenUrl,
      clientId: oauth2ClientId,
      clientSecret: clientSecret ?? fixedText(""),
      scopes: options.oauth2Scopes,
      endpointParams: options.oauth2EndpointParams,
      transport,
      timeoutMs,
      userAgent,
      clock,
    });
  }
  if (sigv4Region === undefined) return undefined;
  const { sigv4AccessKey, sigv4SecretKey, sigv4Profile, sigv4RoleArn } = options;
  const credentials = await openAwsCredentials({
    region: sigv4Region,
    keys:
      sigv4AccessKey !== undefined && sigv4SecretKey !== undefined
        ? { accessKeyId: sigv4AccessKey, secretAccessKey: sigv4SecretKey }
        : undefined,
    profile: sigv4Profile,
    roleArn: sigv4RoleArn,
    clock,
  });
  return new SigV4Auth({ region: sigv4Region, credentials, clock });
}

async function secretFrom(
  text: string | undefined,
  path: string | undefined,
): Promise<TextSource | undefined> {
  if (text !== undefined) return fixedText(text);
  return path === undefined ? undefined : await openSecretFile(path);
}
