/**
 * Who asks: what a token stands for.
 */
import type { Role } from "./run-repository.ts";

export interface Principal {
  /** Of the token; for logs and `startedBy`. */
  readonly name: string;
  /**
   * `run`: may push to `runId`, read its state and end it, and nothing else. `share`: may look at `runId` until `expiresMs`, and
   * change nothing.
   */
  readonly role: Role | "run" | "share";
  readonly runId: number | undefined;
  /** Unix milliseconds; undefined for what only ends when it is revoked. */
  readonly expiresMs: number | undefined;
}

export interface Authenticator {
  /** In constant time for a token of the right form, known or not. */
  authenticate(token: string): Promise<Principal | undefined>;
}
