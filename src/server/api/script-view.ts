/**
 * What the archive of a run holds, as programs get it; secrets are out of it since it was stored.
 */
import type { Json } from "../../runs/run-record.ts";

export interface ScriptView {
  /** Of all files that the script is made of, without data that is no text. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The one that k6 was started with; it is one of `files`. */
  readonly main: string | null;
  /** As k6 derived them from script, flags and environment. */
  readonly options: Json;
  /** Variables that the script was given with `--env`. */
  readonly environment: Readonly<Record<string, string>>;
}
