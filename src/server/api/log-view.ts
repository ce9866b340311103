/**
 * A part of a run's log, as programs get it.
 */

export interface LogLineView {
  /** Unix nanoseconds, as a text: a number has not enough digits. */
  readonly timeNs: string;
  readonly level: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LogPageView {
  /** Oldest first. */
  readonly lines: readonly LogLineView[];
  /** What `from` takes for what comes behind these, also while the log grows: a byte of the file. */
  readonly next: number;
  /** There is nothing behind `next` yet. */
  readonly isEnd: boolean;
}
