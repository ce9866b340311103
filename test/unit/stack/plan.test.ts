import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { isFree } from "../../../src/free-port.ts";
import { answers, ownerOf } from "../../../src/stack/addresses.ts";
import { findProgram } from "../../../src/stack/find-program.ts";
import { defaultSettings, planServices, targetsOf } from "../../../src/stack/plan.ts";
import { toPrometheusConfig } from "../../../src/stack/prometheus-config.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** Stands for a program: prints its version. */
function program(path: string, text: string): string {
  const file = join(folder.path, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${text}'\n`);
  chmodSync(file, 0o755);
  return file;
}

const search = { variables: ["TOOL"], names: ["store"], oldest: "2.40" };

it("finds a program in its variable, then on PATH, then in its places", () => {
  const place = program("opt/store", "store, version 2.41.0");
  const places = [place];
  const environment = { PATH: join(folder.path, "bin") };
  expect(findProgram({ ...search, places }, environment)).toEqual({
    path: place,
    version: "2.41.0",
  });
  const onPath = program("bin/store", "store, version 3.1.0");
  expect(findProgram({ ...search, places }, environment)).toMatchObject({ path: onPath });
  const named = program("named", "no number");
  const withVariable = { ...environment, TOOL: named };
  expect(findProgram({ ...search, places }, withVariable)).toEqual({
    path: named,
    version: "unknown",
  });
});

it("says why a program does not serve", () => {
  const environment = { PATH: join(folder.path, "bin") };
  expect(findProgram(search, environment)).toBe("not found");
  const old = program("bin/store", "store, version 2.9.1");
  expect(findProgram(search, environment)).toBe(
    `${old} is version 2.9.1, and 2.40 is the oldest that serves`,
  );
  expect(() => findProgram(search, { TOOL: "/no/such" })).toThrow('TOOL="/no/such" cannot be run');
  expect(() => findProgram(search, { TOOL: old })).toThrow(
    "is version 2.9.1; expected store, 2.40",
  );
});

const node = { path: process.execPath, version: process.versions.node };

it("needs a Prometheus, and says how to get one", () => {
  const machine = { environment: { PATH: folder.path }, node };
  expect(() => planServices(machine, defaultSettings, [])).toThrow(
    "the stack needs Prometheus, which is not found: apt-get install prometheus",
  );
});

it("shifts every port, leaves out what is not found, and scrapes the rest", () => {
  program("prometheus", "prometheus, version 3.1.0");
  const machine = { environment: { PATH: folder.path }, node };
  const plan = planServices(machine, { ...defaultSettings, portOffset: 100 }, []);
  expect(plan.planned).toContainEqual(expect.objectContaining({ port: 9190 }));
  const left = new Map(plan.leftOut.map(({ name, reason }) => [name, reason]));
  expect(left.get("node-exporter")).toBe("not found: apt-get install prometheus-node-exporter");
  const targets = targetsOf(plan);
  expect(targets).toContainEqual({ job: "prometheus", address: "127.0.0.1:9190" });
  expect(targets.map(({ job }) => job)).not.toContain("node");
});

it("has a run that serves its own metrics among what is scraped", () => {
  const targets = [{ job: "node", address: "127.0.0.1:9100" }];
  const config = parse(toPrometheusConfig(targets, { scrapeInterval: "1s", retention: "2y" }));
  expect(config).toMatchObject({
    global: { scrape_interval: "1s" },
    storage: { tsdb: { out_of_order_time_window: "2y" } },
    scrape_configs: [
      { job_name: "node", static_configs: [{ targets: ["127.0.0.1:9100"] }] },
      { job_name: "plimsoll", static_configs: [{ targets: ["127.0.0.1:9464"] }] },
    ],
  });
});

it("knows whose a port is", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  expect(await isFree(port)).toBe(false);
  if (process.platform === "linux") {
    expect(ownerOf(port)).toMatch(new RegExp(`^process ${process.pid} \\(`));
  }
  expect(await answers(port, undefined)).toBe(true);
  expect(await answers(port, "/")).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isFree(port)).toBe(true);
  expect(await answers(port, undefined)).toBe(false);
});
