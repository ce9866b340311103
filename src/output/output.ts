/**
 * What `--out NAME[=ARG]` names: somewhere samples go.
 */
import type { SampleSink } from "../sample/sample.ts";

export interface Output {
  /** As on the command line, e.g. `prometheus-rw`. */
  readonly name: string;
  readonly sink: SampleSink;
}

/** The parts of `NAME[=ARG]`. */
export function parseOut(text: string): { readonly name: string; readonly argument: string } {
  const at = text.indexOf("=");
  return at < 0
    ? { name: text, argument: "" }
    : { name: text.slice(0, at), argument: text.slice(at + 1) };
}
