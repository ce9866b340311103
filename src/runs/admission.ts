/**
 * Whether one more of what stays in the database is taken from whoever asks for it.
 */

export type MadeKind = "run" | "test";

/** Why not, in words, and when again. */
export interface Refusal {
  readonly message: string;
  readonly retryAfterSeconds: number;
}

export interface Admission {
  /** Counts it, or says why not. @param name Of the token, see `Principal` */
  readonly admit: (kind: MadeKind, name: string) => Refusal | undefined;
}
