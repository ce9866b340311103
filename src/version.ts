/**
 * The package's version, for `--version` and the User-Agent header.
 */
import { readFileSync } from "node:fs";

// The file is the package's own, and npm requires the field.
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

export const version: string = manifest.version;

/** As remote write wants it: name and version. */
export const userAgent: string = `plimsoll/${version}`;
