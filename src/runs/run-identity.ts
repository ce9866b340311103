/**
 * What names a run: its id, for ever unique, and the name of the test that it is a run of.
 */
import { basename } from "node:path";

export interface RunIdentity {
  /** The label `testid`. */
  readonly testid: string;
  /** The label `test`: the same for every run of one test, so that runs can be compared. */
  readonly test: string;
}

/** A test's name from what is run: a script's file name without its ending, a URL's host and path. */
export function testNameOf(source: string): string {
  if (/^https?:\/\//i.test(source) && URL.canParse(source)) {
    const { host, pathname } = new URL(source);
    return `${host}${pathname === "/" ? "" : pathname}`;
  }
  if (source === "-") return "stdin";
  return testNameFromK6(basename(source));
}

/**
 * A test's name from the name that k6 sends: the script's file name, unless the script or its user has given another.
 * What does not end like a file stays as it is, so that a name which somebody chose is kept, and a test has one name
 * however it was started.
 */
export function testNameFromK6(name: string): string {
  return name.replace(/(\.(jsonl?|ndjson|js|ts|mjs|cjs|tar|gz))+$/i, "") || "test";
}

/**
 * An id that sorts by time and is readable: `checkout-20261122T051500-7f3a`. With `suffix` empty it is a function
 * of its arguments, so that a file ingested twice becomes the same run.
 */
export function testidOf(test: string, startMs: number, suffix: string): string {
  const time = new Date(startMs).toISOString().replace(/[-:]|\.\d+Z$/g, "");
  const name = test.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "");
  return [name === "" ? "test" : name, time, suffix].filter((part) => part !== "").join("-");
}
