/**
 * What a run's record takes from the options that k6 sends, before they are kept redacted.
 *
 * Source: k6 `cloudapi/config.go`, `lib/options.go`. `options.cloud` may hold what k6 itself does not know.
 */
import type { StartRun } from "../../runs/run-service.ts";
import type { Json } from "../../runs/run-record.ts";
import { parseThresholds } from "../../runs/thresholds.ts";
import { ApiError } from "./errors.ts";
import { asObject, redactOptions } from "./redact-options.ts";

/** As JSON. k6's options have 2 KiB, with a hundred scenarios 50: they are read with every list of runs. */
const maxOptionsBytes = 256 << 10;
/** Each is a label of all series of the run. */
const maxTags = 100;

/**
 * @param options Parsed JSON; anything but an object stands for a script without options
 * @throws InputError for thresholds that cannot be understood, ApiError 413 for more than is kept
 */
export function fromOptions(
  options: unknown,
): Pick<StartRun, "options" | "thresholds" | "tags" | "note"> {
  const kept = asObject(redactOptions(options)) as { readonly [key: string]: Json };
  const bytes = Buffer.byteLength(JSON.stringify(kept));
  if (bytes > maxOptionsBytes) {
    throw new ApiError(413, `the options have ${bytes} bytes, more than ${maxOptionsBytes}`);
  }
  const { note } = asObject(kept["cloud"] ?? asObject(kept["ext"])["loadimpact"]);
  const tags = Object.entries(asObject(kept["tags"])).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  if (tags.length > maxTags) {
    throw new ApiError(413, `the options have ${tags.length} tags, more than ${maxTags}`);
  }
  return {
    options: kept,
    thresholds: parseThresholds(kept["thresholds"]),
    tags: Object.fromEntries(tags),
    note: typeof note === "string" ? note : "",
  };
}
