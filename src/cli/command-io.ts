/**
 * What a command knows of the process it runs in, passed in so that tests need no process.
 */
import type { Environment } from "../config/option-row.ts";

export interface CommandIo {
  /** For results that a program may read. */
  readonly stdout: TextSink;
  /** For a person. */
  readonly stderr: TextSink;
  readonly env: Environment;
  /** Absolute path of the working directory. */
  readonly cwd: string;
}

export interface TextSink {
  write(text: string): unknown;
}
