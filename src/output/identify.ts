/**
 * Makes a run's identity of its options.
 */
import type { Options } from "../config/options.ts";
import { type RunIdentity, testidOf, testNameOf } from "../runs/run-identity.ts";

/** What is run, and what tells this run from the others of its test. */
export interface RunOrigin {
  /** A script, a URL, a file of samples. */
  readonly source: string;
  readonly startMs: number;
  /** Makes the id unique where the source and the start do not. */
  readonly suffix: string;
}

export interface IdentifiedRun {
  readonly identity: RunIdentity;
  /** The tags that are not part of the identity. */
  readonly tags: ReadonlyMap<string, string>;
}

/** `--tag testid=…`, as people write it for k6, means `--testid`; a flag of its own wins. */
export function identify(options: Options, { source, startMs, suffix }: RunOrigin): IdentifiedRun {
  const tags = new Map(options.tags);
  const test = options.test ?? tags.get("test") ?? testNameOf(source);
  const testid = options.testid ?? tags.get("testid") ?? testidOf(test, startMs, suffix);
  tags.delete("test");
  tags.delete("testid");
  return { identity: { testid, test }, tags };
}
