/**
 * Whether the files are what `src/dashboards/` makes.
 */
import type { DashboardFile } from "../dashboard.ts";
import type { Finding } from "./finding.ts";

/** `files` has the texts by name, without `.json`; `made` has what makes them. */
export function checkCurrent(
  files: ReadonlyMap<string, string>,
  made: Readonly<Record<string, () => DashboardFile>>,
): Finding[] {
  return [...new Set([...Object.keys(made), ...files.keys()])].flatMap((name): Finding[] => {
    const wanted = made[name];
    const message =
      wanted === undefined
        ? "no module of src/dashboards makes it"
        : files.get(name) === `${JSON.stringify(wanted(), null, 2)}\n`
          ? undefined
          : "it is not what src/dashboards makes";
    return message === undefined
      ? []
      : [{ place: name, message: `${message}; run "npm run dashboards"` }];
  });
}
