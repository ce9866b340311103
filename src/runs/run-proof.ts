/**
 * A proof that somebody may do one thing with one run: a MAC under the digest of the run's token, so that nothing has to be
 * kept for it, and that it ends with the token.
 *
 * `peer` is what servers on one database say to each other; `upload` is in the URL to which k6 puts an archive, which it
 * sends no header with, and which a proxy may write into its log.
 *
 * Source: RFC 2104.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export type ProofPurpose = "peer" | "upload";

/** @returns 43 characters of base64url, worthless for another run and for anything else */
export function proofOf(purpose: ProofPurpose, tokenHash: string, runId: number): string {
  return createHmac("sha256", tokenHash).update(`plimsoll ${purpose} ${runId}`).digest("base64url");
}

/** In constant time. @param tokenHash undefined where there is no such run, of which nothing can be proved */
export function isProof(
  given: string,
  purpose: ProofPurpose,
  tokenHash: string | undefined,
  runId: number,
): boolean {
  const expected = Buffer.from(proofOf(purpose, tokenHash ?? "", runId));
  const bytes = Buffer.from(given);
  // Of a run without a token, such as `plimsoll run` makes, anybody could make one.
  const hasToken = tokenHash !== undefined && tokenHash !== "";
  return bytes.length === expected.length && timingSafeEqual(bytes, expected) && hasToken;
}
