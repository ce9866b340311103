/**
 * AWS Signature Version 4: one request, one signature.
 *
 * In:  a request, the headers that the signature covers, a key, a time. Out: the header `Authorization`. Pure.
 * Source: AWS, "Create a signed AWS API request" (IAM User Guide): canonical request, string to sign, signing key.
 */
import { createHash, createHmac } from "node:crypto";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With temporary credentials. */
  readonly sessionToken?: string;
}

export interface SigningScope {
  /** E.g. `eu-west-1`. */
  readonly region: string;
  /** E.g. `aps`, Amazon Managed Service for Prometheus. */
  readonly service: string;
  /** Unix milliseconds. AWS refuses a signature that is more than 5 minutes old. */
  readonly timestampMs: number;
}

export interface SignedParts {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case, `host` and `x-amz-date` among them. What a proxy may change does not belong here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyHash: string;
}

export function sigv4Authorization(
  { method, url, headers, bodyHash }: SignedParts,
  { accessKeyId, secretAccessKey }: AwsCredentials,
  { region, service, timestampMs }: SigningScope,
): string {
  const names = Object.keys(headers).sort();
  const canonicalRequest = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.search),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    bodyHash,
  ].join("\n");
  const time = toAmzDate(timestampMs);
  const scope = [time.slice(0, 8), region, service, "aws4_request"];
  const toSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256Hex(canonicalRequest)];
  const key = scope.reduce<string | Buffer>(
    (parentKey, part) => createHmac("sha256", parentKey).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(toSign.join("\n")).digest("hex");
  return (
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`
  );
}

/** `20150830T123600Z`. */
export function toAmzDate(timestampMs: number): string {
  return new Date(timestampMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Escaped once more than it is sent, as every service but S3 wants it; `//` counts as `/`. */
function canonicalPath(pathname: string): string {
  return escape(pathname.replace(/\/{2,}/g, "/")).replaceAll("%2F", "/");
}

/** Sorted by name, then by value, in their escaped form. */
function canonicalQuery(search: string): string {
  return search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return [unescape(name), unescape(value.join("="))].map(escape);
    })
    .sort(([a = "", x = ""], [b = "", y = ""]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

/** Of what is not a letter or digit only `-._~` stay. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A per cent sign that begins no escape stands for itself. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not escaped, so it is the text itself.
    return text;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
