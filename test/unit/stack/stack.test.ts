/** The stack in Docker, with a stand-in for the program `docker` that notes how it is called. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stackDown, stackStatus, stackUp } from "../../../src/stack/stack.ts";
import { packagedFile } from "../../../src/stack/packaged-files.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  const docker = join(folder.path, "docker");
  const container = {
    Service: "grafana",
    Image: "grafana/grafana:13.2.3",
    State: "running",
    Health: "healthy",
    ExitCode: 0,
    Publishers: [{ URL: "127.0.0.1", PublishedPort: 3100 }],
  };
  writeFileSync(
    docker,
    `#!/bin/sh
echo "$* GRAFANA_PORT=$GRAFANA_PORT" >> '${calls()}'
case "$*" in
  *" up "*) test ! -e '${join(folder.path, "broken")}';;
  *" ps "*) echo '${JSON.stringify(container)}';;
esac
`,
  );
  chmodSync(docker, 0o755);
});
afterEach(() => folder[Symbol.asyncDispose]());

const calls = () => join(folder.path, "calls");
const compose = `compose --file ${packagedFile("docker-compose.yml")}`;

function options() {
  return {
    folder: join(folder.path, "stack"),
    machine: {
      environment: { PATH: `${folder.path}:/usr/bin:/bin` },
      node: { path: process.execPath, version: process.versions.node },
    },
    settings: { portOffset: 100 },
    log: () => undefined,
    signal: new AbortController().signal,
  };
}

function takeCalls(): string[] {
  const lines = existsSync(calls()) ? readFileSync(calls(), "utf8").trimEnd().split("\n") : [];
  rmSync(calls(), { force: true });
  return lines;
}

it("is Docker's where Docker is: up, looked at, ended with its volumes", async () => {
  const status = await stackUp(options());
  expect(status).toEqual({
    mode: "docker",
    isHealthy: true,
    services: [{ name: "grafana", state: "up", version: "13.2.3", address: "127.0.0.1:3100" }],
  });
  expect(takeCalls()).toContain(`${compose} up --detach GRAFANA_PORT=3100`);
  expect(await stackStatus(options())).toEqual(status);
  await expect(stackUp({ ...options(), mode: "native" })).rejects.toThrow(
    "the stack is up in Docker",
  );

  takeCalls();
  await stackDown(options(), { isDataRemoved: true });
  expect(takeCalls()).toEqual([`${compose} down --volumes GRAFANA_PORT=`]);
  expect(await stackStatus(options())).toBeUndefined();
  expect(existsSync(options().folder)).toBe(false);
});

it("ends what was begun where Compose fails", async () => {
  writeFileSync(join(folder.path, "broken"), "");
  await expect(stackUp(options())).rejects.toThrow(
    '"docker compose up --detach" ended with 1; what it said is above',
  );
  expect(takeCalls().at(-1)).toBe(`${compose} down GRAFANA_PORT=`);
  expect(await stackStatus(options())).toBeUndefined();
});
