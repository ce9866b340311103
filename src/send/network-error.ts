/**
 * Names what went wrong where no HTTP answer came.
 *
 * In:  what undici threw. Out: a stable reason for counting and a text that says what to do; `undefined`
 * for what is no failure of the network: a bug, which is the caller's to throw again.
 */
import { errors } from "undici";
import { messageOf, systemErrorCode } from "../errors.ts";

export interface NetworkFailure {
  readonly reason: NetworkFailureReason;
  readonly text: string;
}

export type NetworkFailureReason =
  | "connection_refused"
  | "connection_reset"
  | "dns"
  | "not_http"
  | "network_error"
  | "proxy"
  | "timeout"
  | "tls"
  | "unreachable";

const advice: Readonly<Record<NetworkFailureReason, string>> = {
  connection_refused: "nothing listens there; is the receiver running, and is the port right?",
  connection_reset: "the receiver closed the connection before it answered",
  dns: "the host name cannot be resolved; is it spelled right, and is the name server reachable?",
  not_http:
    "what answers does not speak HTTP; is the port right, and should the URL begin with https?",
  network_error: "the request could not be made",
  proxy:
    "the proxy did not let the request through; is its URL right, with the user name and password that it " +
    "asks for, and may it reach the receiver?",
  timeout: "no answer in time; is the receiver overloaded, or does a firewall drop the packets?",
  tls:
    "no secure connection; does the receiver speak TLS, does the certificate match the host name, and " +
    "is its authority known (CA option)?",
  unreachable: "there is no route to the host; is the network up, and is the address right?",
};

/** By the codes of Node's `net`, `dns` and `tls` and of undici's errors. */
const reasonByCode: ReadonlyMap<string, NetworkFailureReason> = new Map([
  ["ECONNREFUSED", "connection_refused"],
  ["ECONNRESET", "connection_reset"],
  ["ECONNABORTED", "connection_reset"],
  ["EPIPE", "connection_reset"],
  ["UND_ERR_SOCKET", "connection_reset"],
  ["ENOTFOUND", "dns"],
  ["EAI_AGAIN", "dns"],
  ["ETIMEDOUT", "timeout"],
  ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EPROTO", "tls"],
]);

/** OpenSSL's verification results have no common prefix. Source: Node's documentation, "X509 certificate error codes". */
const tlsCode =
  /^ERR_(SSL|TLS|OSSL)|CERT|^UNABLE_TO_|^CRL_|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/;

/** Undici has no code of its own for what a proxy refuses. Source: undici 7, `lib/dispatcher/proxy-agent.js`. */
const proxyMessage = /^Proxy (?:response|Authentication Required) \((\d{3})\)/;

/** Of undici's errors, those that say that it is used wrongly: after it was closed, with a bad header. */
const misuseCodes = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_CLOSED", "UND_ERR_DESTROYED"]);

export function describeNetworkError(error: unknown): NetworkFailure | undefined {
  // This one has a code for some mistakes only.
  if (error instanceof errors.HTTPParserError) return networkFailure("not_http", error.message);
  const [, proxyStatus] = proxyMessage.exec(messageOf(error)) ?? [];
  if (proxyStatus !== undefined) return networkFailure("proxy", `HTTP ${proxyStatus}`);
  const code = systemErrorCode(error);
  if (code === undefined || misuseCodes.has(code)) return undefined;
  return networkFailure(
    tlsCode.test(code) ? "tls" : (reasonByCode.get(code) ?? "network_error"),
    code,
  );
}

/** @param detail What a specialist wants to know, e.g. the error's code. */
export function networkFailure(reason: NetworkFailureReason, detail: string): NetworkFailure {
  return { reason, text: `${advice[reason]} (${detail})` };
}
