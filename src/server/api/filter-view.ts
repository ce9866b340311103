/**
 * What a list of runs can be filtered by, as programs get it.
 */

export interface TestListView {
  /** Of those that have runs, the one with the newest run first; at most 1 000. */
  readonly tests: readonly {
    readonly name: string;
    readonly runs: number;
    readonly lastRun: string;
  }[];
}

export interface TagListView {
  /** Of the newest 5 000 runs, at most 100, by name. */
  readonly tags: readonly {
    readonly name: string;
    /** At most 50, the latest first. */
    readonly values: readonly string[];
  }[];
}
