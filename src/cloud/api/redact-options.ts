/**
 * Takes out what is secret of what k6 sends with a run: it is kept for years and shown to many.
 *
 * k6 itself puts the user's token into `options.cloud.token`; scripts hold passwords in `env`, private keys in
 * `tlsAuth`, and anything anywhere. So known places are emptied, and so is whatever looks like a token.
 *
 * Source: k6 `internal/cmd/cloud.go`, `lib/options.go`; the forms of tokens are those of their issuers.
 */
import { InputError } from "../../errors.ts";
import type { Json } from "../../runs/run-record.ts";

const redacted = "***";

/** Keys whose text is a secret. Lists are not: `thresholds` has keys such as `http_reqs{name:token}`. */
const secretKey =
  /token|secret|passw(?:or)?d|passphrase|authorization|cookie|api[-_]?key|credential/i;

/** Tokens that say what they are: of this server, of Grafana. */
export const ownTokens: RegExp = /\b(?:pl[mr]_[\w-]{20,}|gl(?:sa|c)_[\w+/=-]{20,})/g;

const looksLikeToken: readonly RegExp[] = [
  ownTokens,
  // Grafana Cloud k6, and digests of the same length.
  /\b[0-9a-f]{64}\b/gi,
  /\beyJ[\w-]{10,4096}\.[\w-]{1,8192}\.[\w-]*/g,
  /(?<=\b(?:Bearer|Basic|Token) {1,8})[\w.~+/=-]{8,}/gi,
  /\b(?:gh[pousr]_|xox[abprs]-|AKIA)[\w-]{16,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs,
  // A password in a URL.
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi,
];

/** Deeper than any script's; what walks through JSON by recursion does not get lost in it. */
const maxDepth = 64;

/**
 * A copy without secrets, of JSON that has been parsed.
 *
 * @throws InputError where it is nested too deeply
 */
export function redactOptions(value: unknown, depth = 0): Json {
  if (depth > maxDepth) throw new InputError(`options are nested deeper than ${maxDepth} levels`);
  if (typeof value === "string") return redactText(value);
  // Parsed JSON has no other types.
  if (typeof value !== "object" || value === null) return value as Json;
  if (Array.isArray(value)) return value.map((item) => redactOptions(item, depth + 1));
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    if (typeof item === "string" && item !== "" && secretKey.test(key)) return [key, redacted];
    // A tag may have that name as well, and then it is a text.
    if (key === "env" && typeof item === "object" && !Array.isArray(item))
      return [key, redactValues(item)];
    return [key, redactOptions(item, depth + 1)];
  });
  return Object.fromEntries(entries);
}

/** Of variables, only their names are kept. */
export function redactValues(variables: unknown): Json {
  if (typeof variables !== "object" || variables === null) return null;
  return Object.fromEntries(Object.keys(variables).map((name) => [name, redacted]));
}

function redactText(text: string): string {
  return looksLikeToken.reduce((rest, form) => rest.replace(form, redacted), text);
}

/** Tokens of `options.cloud` and of its older name, as they are: a script may hold them elsewhere, too. */
export function tokensOf(options: unknown): string[] {
  const { cloud, ext } = asObject(options);
  return [cloud, asObject(ext)["loadimpact"]].flatMap((section) => {
    const { token } = asObject(section);
    return typeof token === "string" && token.length >= 8 ? [token] : [];
  });
}

/** An object's members; of anything else none. */
export function asObject(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: unknown })
    : {};
}
