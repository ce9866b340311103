/**
 * What is wrong with options together, though each is right by itself: authentication and certificates.
 */
import type { ConfigProblem } from "../errors.ts";
import { toProblem, type Candidate } from "./option-candidates.ts";
import { optionTable } from "./option-table.ts";
import type { OptionName, ParsedOptions } from "./options.ts";

/** Turns `http://user:password@host/` into user name and password, as Go's HTTP client does for k6. */
export function moveUserInfo(
  parsed: ParsedOptions,
  candidates: Map<OptionName, Candidate>,
): ConfigProblem[] {
  const candidate = candidates.get("url");
  if (candidate === undefined || parsed.url === undefined) return [];
  const url = new URL(parsed.url);
  const { username, password } = url;
  if (username === "" && password === "") return [];
  const others = (["username", "password"] as const).flatMap((name) => candidates.get(name) ?? []);
  if (others.length > 0) {
    return [
      toProblem(
        candidate,
        `has user-info, and ${describe(others)} is given too: remove one of them`,
      ),
    ];
  }
  try {
    parsed.username = decodeURIComponent(username);
    if (password !== "") parsed.password = decodeURIComponent(password);
  } catch {
    // The text is a secret, so neither it nor the cause is passed on.
    return [toProblem(candidate, "has user-info with a % that is not an escape")];
  }
  url.username = "";
  url.password = "";
  parsed.url = url.href;
  candidates.set("username", candidate);
  if (password !== "") candidates.set("password", candidate);
  return [];
}

export function conflicts(candidates: ReadonlyMap<OptionName, Candidate>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const given = (...names: OptionName[]): Candidate[] =>
    names.flatMap((name) => candidates.get(name) ?? []);
  const report = (wrong: readonly Candidate[], message: string): void => {
    const [first] = wrong;
    if (first !== undefined) problems.push(toProblem(first, message));
  };

  const basic = given("username", "password", "passwordFile");
  const bearer = given("bearerToken", "bearerTokenFile");
  if (basic.length > 0 && bearer.length > 0) {
    report(
      bearer,
      `is a second method of authentication beside ${describe(basic)}: the receiver takes one`,
    );
  }
  for (const names of [
    ["password", "passwordFile"],
    ["bearerToken", "bearerTokenFile"],
  ] as const) {
    const [, ...others] = given(...names);
    if (others.length > 0) {
      report(given(names[0]), `is given and ${describe(others)} too: remove one of them`);
    }
  }
  if (!candidates.has("username")) {
    report(
      given("password", "passwordFile"),
      `is given without a user name: set ${optionTable.username.flag}`,
    );
  }
  const certificate = given("clientCertificate", "clientCertificateKey");
  if (certificate.length === 1) {
    const missing = candidates.has("clientCertificate")
      ? optionTable.clientCertificateKey
      : optionTable.clientCertificate;
    report(certificate, `is of no use alone: set ${missing.flag} too`);
  }
  return problems;
}

function describe(candidates: readonly Candidate[]): string {
  return [
    ...new Set(candidates.map(({ option, origin }) => `${option} (from ${origin.source})`)),
  ].join(" and ");
}
