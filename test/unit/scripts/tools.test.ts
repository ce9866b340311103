import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { installTools, toolPath, tools, variableOf } from "../../../scripts/tools.mjs";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plimsoll-tools-"));
  for (const { name } of tools) vi.stubEnv(variableOf(name), undefined);
  vi.stubEnv("PLIMSOLL_CACHE", path.join(folder, "cache"));
  vi.stubEnv("PATH", path.join(folder, "bin"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Makes a program that prints `text`, which holds no quote, for whatever arguments. */
function program(file: string, text: string, exitCode = 0): string {
  const absolute = path.join(folder, file);
  mkdirSync(path.dirname(absolute), { recursive: true });
  writeFileSync(absolute, `#!/bin/sh\necho '${text}'\nexit ${exitCode}\n`);
  chmodSync(absolute, 0o755);
  return absolute;
}

function cached(tool: string, cache = "cache"): string {
  return program(`${cache}/plimsoll/tools/${tool}-${process.platform}-${process.arch}`, "");
}

const k6On = (version: string) => `k6 v${version} (go1.26.0, linux/amd64)`;
const prometheusOn = (version: string) => `prometheus, version ${version} (branch: HEAD)`;

describe("toolPath", () => {
  it("prefers the variable to the cache, and the cache to PATH", () => {
    const onPath = program("bin/k6", k6On("2.2.0"));
    expect(toolPath("k6-2")).toBe(onPath);

    const inCache = cached("k6-2-2.2.0");
    expect(toolPath("k6-2")).toBe(inCache);

    vi.stubEnv("PLIMSOLL_TOOL_K6_2", "/elsewhere/k6");
    expect(toolPath("k6-2")).toBe("/elsewhere/k6");
  });

  it("takes an empty variable for an unset one", () => {
    const onPath = program("bin/k6", k6On("2.2.0"));
    vi.stubEnv("PLIMSOLL_TOOL_K6_2", "");
    expect(toolPath("k6-2")).toBe(onPath);
  });

  it("looks for the cache in XDG_CACHE_HOME where PLIMSOLL_CACHE is not set", () => {
    vi.stubEnv("PLIMSOLL_CACHE", undefined);
    vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "xdg"));
    expect(toolPath("k6-1")).toBeUndefined();
    const inCache = cached("k6-1-1.8.1", "xdg");
    expect(toolPath("k6-1")).toBe(inCache);
  });

  it("ignores a cached program of another version", () => {
    cached("k6-2-2.1.0");
    expect(toolPath("k6-2")).toBeUndefined();
  });

  it.each([
    ["k6", k6On("2.0.0"), ["k6-2"]],
    ["k6", k6On("1.0.0"), ["k6-1"]],
    ["k6", k6On("0.57.0"), []],
    ["k6", k6On("12.1.0"), []],
    ["prometheus", prometheusOn("2.42.0+ds"), ["prometheus-2"]],
    ["prometheus", prometheusOn("2.41.0"), []],
    ["prometheus", prometheusOn("2.9.2"), []],
    ["prometheus", prometheusOn("3.5.0"), ["prometheus-3"]],
    ["victoria-metrics", "", ["victoria-metrics"]],
    ["node_exporter", "node_exporter, version 1.9.1 (branch: HEAD)", ["node-exporter"]],
    ["promtool", "promtool, version 3.5.0 (branch: HEAD)", ["promtool-3"]],
    ["postgres_exporter", "postgres_exporter, version 0.17.1", ["postgres-exporter"]],
    [
      "prometheus-postgres-exporter",
      "postgres_exporter, version 0.11.1",
      ["postgres-exporter-debian"],
    ],
    ["pgbouncer_exporter", "pgbouncer_exporter, version 0.12.1", ["pgbouncer-exporter"]],
    ["docker-compose", "Docker Compose version v2.40.3", ["docker-compose"]],
    ["docker-compose", "docker-compose version 1.29.2, build unknown", []],
  ])("lets %s on PATH that prints %j serve as %j", (name, text, expected) => {
    const onPath = program(`bin/${name}`, text);
    const served = tools.filter((tool) => toolPath(tool.name) === onPath);
    expect(served.map((tool) => tool.name)).toEqual(expected);
  });

  it("looks past a program of the wrong version and one that does not run", () => {
    program("bin/k6", k6On("1.8.1"));
    program("broken/k6", k6On("2.2.0"), 1);
    const right = program("later/k6", k6On("2.2.0"));
    const folders = ["bin", "broken", "later"].map((name) => path.join(folder, name));
    vi.stubEnv("PATH", folders.join(path.delimiter));
    expect(toolPath("k6-2")).toBe(right);
  });

  it("rejects a name that is not in the table, and says which are", () => {
    expect(() => toolPath("k7")).toThrow(/^unknown tool "k7"; expected one of k6-2, k6-1, /);
  });
});

describe("installTools", () => {
  const log = (): void => {};

  it("takes another 2.x from PATH where there is no Go to build k6-2 with", async () => {
    const onPath = program("bin/k6", k6On("2.0.1"));
    const [report] = await installTools(["k6-2"], { log });
    expect(report).toMatchObject({ path: onPath });
  });

  it("says of each tool that cannot be had what is missing and what to do", async () => {
    const reports = await installTools(["k6-1", "prometheus-2"], { log });
    expect(reports.map(({ path, missing }) => ({ path, missing }))).toEqual([
      {
        missing: expect.stringMatching(
          /^needs Go 1\.25\.0 or newer \(none on PATH\); .*PLIMSOLL_TOOL_K6_1/,
        ),
      },
      {
        missing: expect.stringMatching(
          /^no apt-get here .*"prometheus".*PLIMSOLL_TOOL_PROMETHEUS_2/,
        ),
      },
    ]);
  });

  it("says so where the Go on PATH is too old", async () => {
    program("bin/go", "go: go.mod requires go >= 1.26.0 (running go 1.21.0)", 1);
    const [report] = await installTools(["prometheus-3"], { log });
    expect(report?.missing).toMatch(/^needs Go 1\.26\.0 or newer/);
  });

  it("builds a missing tool once when two installations start at the same time", async () => {
    // Stands for Go: makes a k6 that runs, and keeps count in a file.
    const count = path.join(folder, "count");
    const go = program("bin/go", "");
    writeFileSync(
      go,
      `#!/bin/sh
case "$1" in list) exit 0;; esac
while [ "$1" != "-o" ]; do shift; done
echo built >> '${count}'
printf '#!/bin/sh\\necho "${k6On("2.2.0")}"\\n' > "$2"
/bin/chmod +x "$2"
`,
    );
    const both = await Promise.all([
      installTools(["k6-2"], { log }),
      installTools(["k6-2"], { log }),
    ]);
    expect(both.flat().map((report) => report.path)).toEqual([toolPath("k6-2"), toolPath("k6-2")]);
    expect(readFileSync(count, "utf8")).toBe("built\n");
    expect(readdirSync(path.dirname(toolPath("k6-2") ?? ""))).toHaveLength(1);
  });

  it("takes over from an installation that was killed, and clears up after it", async () => {
    const cache = path.join(folder, "cache/plimsoll/tools");
    mkdirSync(path.join(cache, "k6-2-2.2.0-linux-x64.partial-1a2b3c"), { recursive: true });
    writeFileSync(path.join(cache, ".lock"), String(spawnSync(process.execPath, ["-v"]).pid));
    const [report] = await installTools(["k6-2"], { log });
    expect(report?.missing).toMatch(/^needs Go/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("leaves nothing in the cache where the program that was built does not run", async () => {
    program("bin/go", "");
    const [report] = await installTools(["k6-2"], { log });
    expect(report?.missing).toContain('"go.k6.io/k6/v2" does not run here');
    expect(toolPath("k6-2")).toBeUndefined();
    expect(readdirSync(path.join(folder, "cache/plimsoll/tools"))).toEqual([]);
  });
});
