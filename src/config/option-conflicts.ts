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

type OptionNames = readonly [OptionName, ...OptionName[]];

/** The options of each method of authentication. */
const basic: OptionNames = ["username", "password", "passwordFile"];
const token: OptionNames = ["bearerToken", "bearerTokenFile", "authorizationType"];
const oauth2: OptionNames = [
  "oauth2ClientId",
  "oauth2ClientSecret",
  "oauth2ClientSecretFile",
  "oauth2TokenUrl",
  "oauth2Scopes",
  "oauth2EndpointParams",
  "oauth2TlsCaFile",
];
const sigv4: OptionNames = [
  "sigv4Region",
  "sigv4AccessKey",
  "sigv4SecretKey",
  "sigv4Profile",
  "sigv4RoleArn",
];
const methods: readonly OptionNames[] = [basic, token, oauth2, sigv4];

/** Two ways to say one thing. */
const alternatives: readonly (readonly [OptionName, OptionName])[] = [
  ["password", "passwordFile"],
  ["bearerToken", "bearerTokenFile"],
  ["oauth2ClientSecret", "oauth2ClientSecretFile"],
  ["sigv4AccessKey", "sigv4Profile"],
];

/** Options, what each of them is of no use without (one of `needed`), and how to say so. */
const needs: readonly {
  readonly given: OptionNames;
  readonly needed: OptionNames;
  readonly lack: string;
}[] = [
  { given: ["password", "passwordFile"], needed: ["username"], lack: "a user name" },
  { given: ["authorizationType"], needed: ["bearerTokenFile", "bearerToken"], lack: "a token" },
  { given: oauth2, needed: ["oauth2TokenUrl"], lack: "a token endpoint" },
  { given: oauth2, needed: ["oauth2ClientId"], lack: "a client id" },
  {
    given: oauth2,
    needed: ["oauth2ClientSecretFile", "oauth2ClientSecret"],
    lack: "a client secret",
  },
  { given: sigv4, needed: ["sigv4Region"], lack: "a region" },
  { given: ["sigv4AccessKey"], needed: ["sigv4SecretKey"], lack: "its secret key" },
  { given: ["sigv4SecretKey"], needed: ["sigv4AccessKey"], lack: "its access key" },
  { given: ["clientCertificate"], needed: ["clientCertificateKey"], lack: "its key" },
  { given: ["clientCertificateKey"], needed: ["clientCertificate"], lack: "its certificate" },
  { given: ["tlsCertificateFile"], needed: ["tlsKeyFile"], lack: "its key" },
  { given: ["tlsKeyFile"], needed: ["tlsCertificateFile"], lack: "its certificate" },
];

export function conflicts(candidates: ReadonlyMap<OptionName, Candidate>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const given = (names: readonly OptionName[]): Candidate[] =>
    names.flatMap((name) => candidates.get(name) ?? []);
  const report = (wrong: readonly Candidate[], message: string): void => {
    const [first] = wrong;
    if (first !== undefined) problems.push(toProblem(first, message));
  };

  const [first = [], ...others] = methods.map(given).filter((options) => options.length > 0);
  for (const other of others) {
    report(
      other,
      `is a second method of authentication beside ${describe(first)}: the receiver takes one`,
    );
  }
  for (const [name, alternative] of alternatives) {
    const also = given([alternative]);
    if (also.length > 0) {
      report(given([name]), `is given and ${describe(also)} too: remove one of them`);
    }
  }
  for (const { given: names, needed, lack } of needs) {
    if (given(needed).length > 0) continue;
    report(given(names), `is given without ${lack}: set ${optionTable[needed[0]].flag}`);
  }
  return problems;
}

function describe(candidates: readonly Candidate[]): string {
  return [
    ...new Set(candidates.map(({ option, origin }) => `${option} (from ${origin.source})`)),
  ].join(" and ");
}
