/**
 * The options of `plimsoll serve`, and of the commands that ask a server: rows of the option table.
 */
import {
  databaseUrl,
  duration,
  httpUrl,
  listenAddress,
  optional,
  path,
  text,
} from "./option-kinds.ts";
import { networks } from "./list-kinds.ts";
import { spelled, type OptionRow } from "./option-row.ts";
import type { ClientOptions, ServerOptions } from "./options.ts";

type Rows<Group> = { readonly [Name in keyof Group]: OptionRow<Group[Name]> };

const second = 1_000;
const minute = 60 * second;

export const serverRows: Rows<ServerOptions> = {
  listen: {
    ...spelled("listen"),
    group: "serve",
    kind: listenAddress,
    toDefault: () => ({ host: "127.0.0.1", port: 6460 }),
    description: "address to listen at; `:6460` is every interface, for which TLS is advised",
    secret: false,
  },
  publicUrl: {
    ...spelled("public-url"),
    group: "serve",
    kind: optional(httpUrl("of a server", "https://k6.example")),
    toDefault: () => undefined,
    defaultText: "made from `--listen`",
    description: "how k6 and people reach the server: the URL that runs are shown under",
    secret: false,
  },
  grafanaUrl: {
    ...spelled("grafana-url"),
    group: "serve",
    kind: optional(httpUrl("of Grafana", "https://grafana.example")),
    toDefault: () => undefined,
    defaultText: "no links",
    description: "Grafana with Plimsoll's dashboards: the page of a run links into them",
    secret: false,
  },
  peerUrl: {
    ...spelled("peer-url"),
    group: "serve",
    kind: optional(httpUrl("of a server", "http://10.0.0.5:6460")),
    toDefault: () => undefined,
    defaultText: "made from `--listen`",
    description: "how the other servers on the same Postgres reach this one, and only this one",
    secret: false,
  },
  queryUrl: {
    ...spelled("query-url"),
    group: "serve",
    kind: optional(httpUrl("of a store's query API", "https://mimir.example/prometheus")),
    toDefault: () => undefined,
    defaultText: "beside `--remote-write-url`",
    description:
      "where the store answers PromQL, as a Grafana data source has it; asked with the credentials for writing",
    secret: false,
  },
  databaseUrl: {
    ...spelled("database-url"),
    group: "serve",
    kind: optional(databaseUrl),
    toDefault: () => undefined,
    defaultText: "a file in the data directory",
    description: "Postgres that keeps the runs, e.g. of several servers",
    secret: true,
  },
  trustedProxies: {
    ...spelled("trust-proxy"),
    group: "serve",
    kind: networks,
    toDefault: () => [],
    description:
      "proxy in front, address or network, whose `X-Forwarded-For` says for whom it asks",
    secret: false,
  },
  tlsCertificateFile: {
    ...spelled("tls-cert"),
    group: "serve",
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "PEM file with the server's certificate and its chain; read again when it changes",
    secret: false,
  },
  tlsKeyFile: {
    ...spelled("tls-key"),
    group: "serve",
    kind: optional(path("file")),
    toDefault: () => undefined,
    description: "PEM file with the certificate's key",
    secret: false,
  },
  runTimeoutMs: {
    ...spelled("run-timeout"),
    group: "serve",
    kind: duration(second, 24 * 60 * minute),
    toDefault: () => 2 * minute,
    description:
      "a run without data for so long is timed out; what comes later is stored all the same",
    secret: false,
  },
};

export const clientRows: Rows<ClientOptions> = {
  server: {
    ...spelled("server"),
    group: "client",
    kind: optional(httpUrl("of a server", "https://k6.example")),
    toDefault: () => undefined,
    defaultText: "this machine's own runs",
    description: "URL of a Plimsoll server",
    secret: false,
  },
  token: {
    ...spelled("token"),
    group: "client",
    kind: optional(text("token")),
    toDefault: () => undefined,
    description: "what the server knows you by; `plimsoll token create` makes one",
    secret: true,
  },
};
