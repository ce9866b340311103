/**
 * How the receiver is reached, as the rest of the program sees it: address, credentials, certificates, proxy.
 *
 * `undefined` means that the option is off or absent. Options of at most one method of authentication are set, and all
 * that it needs. How each is spelled is in connection-rows.ts; what excludes what, in option-conflicts.ts.
 */
export interface ConnectionOptions {
  /** Endpoint that accepts a remote-write request by POST. Never holds user-info; may hold a query. */
  readonly url: string;

  /** Basic authentication. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Absolute path of a file that holds the password. */
  readonly passwordFile: string | undefined;

  /** Authentication by a token. */
  readonly bearerToken: string | undefined;
  /** Absolute path of a file that holds the token. */
  readonly bearerTokenFile: string | undefined;
  /** The scheme that stands before the token. */
  readonly authorizationType: string;

  /** OAuth 2.0, client credentials. */
  readonly oauth2ClientId: string | undefined;
  readonly oauth2ClientSecret: string | undefined;
  /** Absolute path of a file that holds the secret. */
  readonly oauth2ClientSecretFile: string | undefined;
  readonly oauth2TokenUrl: string | undefined;
  readonly oauth2Scopes: readonly string[];
  /** Sent with the request for a token. */
  readonly oauth2EndpointParams: ReadonlyMap<string, string>;
  /** Absolute path of a PEM file with the authorities to trust for the token endpoint. */
  readonly oauth2TlsCaFile: string | undefined;

  /** AWS Signature Version 4; set if and only if requests are signed. */
  readonly sigv4Region: string | undefined;
  /** Both or none; with none AWS's usual places are searched. */
  readonly sigv4AccessKey: string | undefined;
  readonly sigv4SecretKey: string | undefined;
  readonly sigv4Profile: string | undefined;
  /** Taken on with the credentials that the others give. */
  readonly sigv4RoleArn: string | undefined;

  /** Sent with each request. No name is reserved by the protocol, none is given twice. */
  readonly headers: ReadonlyMap<string, string>;
  /** Time for one request and its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** May hold user-info. `undefined`: the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide. */
  readonly proxyUrl: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsMinVersion: "1.2" | "1.3";
  /** Absolute path of a PEM file with the authorities to trust instead of Node's. */
  readonly tlsCaFile: string | undefined;
  /** Absolute paths of PEM files; both or none. */
  readonly clientCertificate: string | undefined;
  readonly clientCertificateKey: string | undefined;
}
