/**
 * What a run's record takes from the options that k6 sends, before they are kept redacted.
 *
 * Source: k6 `cloudapi/config.go`, `lib/options.go`. `options.cloud` may hold what k6 itself does not know.
 */
import type { StartRun } from "../../runs/run-service.ts";
import type { Json } from "../../runs/run-record.ts";
import { parseThresholds } from "../../runs/thresholds.ts";
import { asObject, redactOptions } from "./redact-options.ts";

/**
 * @param options Parsed JSON; anything but an object stands for a script without options
 * @throws InputError for thresholds that cannot be understood
 */
export function fromOptions(
  options: unknown,
): Pick<StartRun, "options" | "thresholds" | "tags" | "note"> {
  const kept = asObject(redactOptions(options)) as { readonly [key: string]: Json };
  const { note } = asObject(kept["cloud"] ?? asObject(kept["ext"])["loadimpact"]);
  const tags = Object.entries(asObject(kept["tags"])).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return {
    options: kept,
    thresholds: parseThresholds(kept["thresholds"]),
    tags: Object.fromEntries(tags),
    note: typeof note === "string" ? note : "",
  };
}
