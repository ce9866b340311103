/** What people type on a fresh clone has nothing yet but Node's own modules and the scripts: no package, no build. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const scripts = new URL("../../../scripts/", import.meta.url);

/** The modules that a script has loaded before its first line runs, those of Node left out. */
function loadedBy(url: URL, loaded = new Set<string>()): Set<string> {
  if (loaded.has(url.href)) return loaded;
  loaded.add(url.href);
  const text = readFileSync(url, "utf8");
  for (const [, name = ""] of text.matchAll(/^(?:import|export) (?:[^"';]*? from )?"([^"]+)"/gms)) {
    if (name.startsWith(".")) loadedBy(new URL(name, url), loaded);
    else if (!name.startsWith("node:")) loaded.add(name);
  }
  return loaded;
}

it.each(["demo", "test", "bench", "tools", "dashboards", "dashboards-check", "dashboards-audit"])(
  "%s.mjs begins without packages and without a build",
  (name) => {
    const loaded = [...loadedBy(new URL(`${name}.mjs`, scripts))];
    expect(loaded.filter((module) => !module.startsWith(scripts.href))).toEqual([]);
    expect(loaded.every((module) => existsSync(fileURLToPath(module)))).toBe(true);
  },
);
