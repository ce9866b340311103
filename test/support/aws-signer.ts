/**
 * AWS's own signer: what a receiver of signed requests computes and compares.
 */
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentials } from "../../src/send/auth/sigv4-signature.ts";

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case, `x-amz-date` and all that the signature covers among them, and no others. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The header `Authorization` that `credentials` give. */
export async function awsAuthorization(
  { method, url, headers, body }: SignedRequest,
  credentials: AwsCredentials,
  { region, service }: { readonly region: string; readonly service: string },
): Promise<string | undefined> {
  // The token is among the headers already.
  const { accessKeyId, secretAccessKey } = credentials;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service,
    sha256: Sha256,
  });
  const [, date = "", time = ""] = /^(\d{8})T(\d{6})Z$/.exec(headers["x-amz-date"] ?? "") ?? [];
  const iso = `${date.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`;
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers },
      body,
    },
    { signingDate: new Date(iso) },
  );
  return signed.headers["authorization"];
}

/** What the signer needs of a hash. */
class Sha256 {
  readonly #hash: { update(data: Uint8Array): unknown; digest(): Buffer };

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error("not needed");
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data, "utf8");
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
