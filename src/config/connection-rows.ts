/**
 * The options that say how the receiver is reached, and by whom: rows of the option table.
 *
 * Keys, and what each method of authentication needs, are those of Prometheus' `remote_write` section, so that a
 * configuration can be carried over: `basic_auth`, `authorization`, `oauth2`, `sigv4`, `tls_config`, `proxy_url`.
 * Source of the `K6_PROMETHEUS_RW_*` variables: k6, `internal/output/prometheusrw/remotewrite/config.go`.
 */
import type { ConnectionOptions } from "./connection-options.ts";
import { headers, parameters, scopes } from "./list-kinds.ts";
import { boolean, duration, httpUrl, oneOf, optional, path, text, token } from "./option-kinds.ts";
import { spelled, type OptionRow } from "./option-row.ts";

type ConnectionRows = {
  readonly [Name in keyof ConnectionOptions]: OptionRow<ConnectionOptions[Name]>;
};

/** Most of them are absent unless they are given, and no secret. */
const absent = {
  group: "prometheus-rw",
  toDefault: () => undefined,
  secret: false,
} as const;

export const connectionRows: ConnectionRows = {
  url: {
    ...absent,
    ...spelled("remote-write-url"),
    k6: { name: "K6_PROMETHEUS_RW_SERVER_URL" },
    kind: httpUrl("that can be pushed to", "http://localhost:9090/api/v1/write"),
    toDefault: () => "http://localhost:9090/api/v1/write",
    description: "remote-write endpoint; user-info in it is used for basic authentication",
  },
  username: {
    ...absent,
    ...spelled("remote-write-username"),
    k6: { name: "K6_PROMETHEUS_RW_USERNAME" },
    kind: optional(text("name")),
    description: "user name for basic authentication",
  },
  password: {
    ...absent,
    ...spelled("remote-write-password"),
    k6: { name: "K6_PROMETHEUS_RW_PASSWORD" },
    kind: optional(text("password")),
    description: "password for basic authentication",
    secret: true,
  },
  passwordFile: {
    ...absent,
    ...spelled("remote-write-password-file"),
    kind: optional(path("file")),
    description: "file that holds the password; read again when it changes",
  },
  bearerToken: {
    ...absent,
    ...spelled("remote-write-bearer-token"),
    k6: { name: "K6_PROMETHEUS_RW_BEARER_TOKEN" },
    kind: optional(text("token")),
    description: "token for bearer authentication",
    secret: true,
  },
  bearerTokenFile: {
    ...absent,
    ...spelled("remote-write-bearer-token-file"),
    kind: optional(path("file")),
    description: "file that holds the bearer token; read again when it changes",
  },
  authorizationType: {
    ...absent,
    ...spelled("remote-write-authorization-type"),
    kind: token("scheme"),
    toDefault: () => "Bearer",
    description: "scheme to send the token with",
  },
  oauth2ClientId: {
    ...absent,
    ...spelled("remote-write-oauth2-client-id"),
    kind: optional(text("id")),
    description: "client id for OAuth2 client credentials",
  },
  oauth2ClientSecret: {
    ...absent,
    ...spelled("remote-write-oauth2-client-secret"),
    kind: optional(text("secret")),
    description: "client secret for OAuth2",
    secret: true,
  },
  oauth2ClientSecretFile: {
    ...absent,
    ...spelled("remote-write-oauth2-client-secret-file"),
    kind: optional(path("file")),
    description: "file that holds the client secret; read again when it changes",
  },
  oauth2TokenUrl: {
    ...absent,
    ...spelled("remote-write-oauth2-token-url"),
    kind: optional(httpUrl("of a token endpoint", "https://login.example/oauth2/token")),
    description: "where OAuth2 tokens are given out",
  },
  oauth2Scopes: {
    ...absent,
    ...spelled("remote-write-oauth2-scopes"),
    kind: scopes,
    toDefault: () => [],
    description: "scopes to ask for",
  },
  oauth2EndpointParams: {
    ...absent,
    ...spelled("remote-write-oauth2-endpoint-params"),
    flag: "--remote-write-oauth2-endpoint-param",
    kind: parameters,
    toDefault: () => new Map(),
    description: "a parameter of the token request, e.g. `audience=metrics`; may be repeated",
    secret: true,
  },
  oauth2TlsCaFile: {
    ...absent,
    ...spelled("remote-write-oauth2-tls-ca-file"),
    kind: optional(path("file")),
    description: "PEM file with the authorities to trust for the token endpoint",
  },
  sigv4Region: {
    ...absent,
    ...spelled("remote-write-sigv4-region"),
    k6: { name: "K6_PROMETHEUS_RW_SIGV4_REGION" },
    kind: optional(text("region")),
    description: "AWS region; signs requests with SigV4",
  },
  sigv4AccessKey: {
    ...absent,
    ...spelled("remote-write-sigv4-access-key"),
    k6: { name: "K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY" },
    kind: optional(text("id")),
    defaultText: "found as AWS's own programs do",
    description: "AWS access key id",
    secret: true,
  },
  sigv4SecretKey: {
    ...absent,
    ...spelled("remote-write-sigv4-secret-key"),
    k6: { name: "K6_PROMETHEUS_RW_SIGV4_SECRET_KEY" },
    kind: optional(text("key")),
    description: "AWS secret access key",
    secret: true,
  },
  sigv4Profile: {
    ...absent,
    ...spelled("remote-write-sigv4-profile"),
    kind: optional(text("name")),
    description: "AWS profile that holds the credentials",
  },
  sigv4RoleArn: {
    ...absent,
    ...spelled("remote-write-sigv4-role-arn"),
    kind: optional(text("arn")),
    description: "AWS role to take on",
  },
  headers: {
    ...absent,
    ...spelled("remote-write-headers"),
    flag: "--remote-write-header",
    k6: { name: "K6_PROMETHEUS_RW_HTTP_HEADERS", itemPrefix: "K6_PROMETHEUS_RW_HEADERS_" },
    kind: headers,
    toDefault: () => new Map(),
    description: "a header for each request, e.g. `X-Scope-OrgID:team`; may be repeated",
    secret: true,
  },
  timeoutMs: {
    ...absent,
    ...spelled("remote-write-timeout"),
    kind: duration(100, 600_000),
    // As Prometheus' sender; k6's 5 s gives up on a receiver that is only slow.
    toDefault: () => 30_000,
    description: "time for one request and its answer",
  },
  proxyUrl: {
    ...absent,
    ...spelled("remote-write-proxy-url"),
    kind: optional(httpUrl("of a proxy", "http://proxy.example:3128")),
    defaultText: "`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`",
    description: "proxy on the way to the receiver, whatever its host",
  },
  insecureSkipTlsVerify: {
    ...absent,
    ...spelled("remote-write-insecure-skip-tls-verify"),
    k6: { name: "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY" },
    kind: boolean,
    toDefault: () => false,
    description: "trust any certificate of the receiver",
  },
  tlsMinVersion: {
    ...absent,
    ...spelled("remote-write-tls-min-version"),
    k6: {
      name: "K6_PROMETHEUS_RW_TLS_MINIMUM_VERSION",
      // In k6 anything but "1.2" means its default.
      translate: (version) => (version === "1.2" ? "1.2" : "1.3"),
    },
    kind: oneOf("1.2", "1.3"),
    toDefault: () => "1.2",
    description: "oldest TLS version to speak (k6's default is 1.3)",
  },
  tlsCaFile: {
    ...absent,
    ...spelled("remote-write-tls-ca-file"),
    kind: optional(path("file")),
    description: "PEM file with the authorities to trust instead of the public ones",
  },
  clientCertificate: {
    ...absent,
    ...spelled("remote-write-client-certificate"),
    k6: { name: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE" },
    kind: optional(path("file")),
    description: "PEM file with the client's certificate",
  },
  clientCertificateKey: {
    ...absent,
    ...spelled("remote-write-client-certificate-key"),
    k6: { name: "K6_PROMETHEUS_RW_CLIENT_CERTIFICATE_KEY" },
    kind: optional(path("file")),
    description: "PEM file with the key of the client's certificate",
  },
};
