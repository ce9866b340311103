/**
 * What a list of runs can be filtered by, as programs get it.
 */

export interface TestListView {
  /** The one with the newest run first; at most 1 000. */
  readonly tests: readonly {
    readonly name: string;
    readonly runs: number;
    readonly lastRun: string;
  }[];
}

export interface TagListView {
  /** Of the newest 10 000 runs, by name; at most 50 values each, the latest first. */
  readonly tags: readonly { readonly name: string; readonly values: readonly string[] }[];
}
