/** The stack in Docker, with a stand-in for the program `docker` that notes how it is called. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { settleTimeoutMs, stackDown, stackStatus, stackUp } from "../../../src/stack/stack.ts";
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
cd '${folder.path}'
case "$*" in
  *" up "*)
    touch running
    if test -e slow; then trap 'kill $!; sleep 0.3; echo "ended up" >> calls; exit 1' TERM; sleep 60 & wait; fi
    test ! -e broken;;
  *" down"*) rm -f running;;
  *" ps "*) test ! -e running || echo '${JSON.stringify(container)}';;
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

const upWith = (port: string) => `${compose} up --detach --build GRAFANA_PORT=${port}`;
const down = `${compose} --profile * down GRAFANA_PORT=`;
const downWithVolumes = `${compose} --profile * down --volumes GRAFANA_PORT=`;
const changes = () => takeCalls().filter((call) => /(up|down)\b/.test(call));
const touch = (name: string) => writeFileSync(join(folder.path, name), "");

it("is Docker's where Docker is: up, looked at, ended with its volumes", async () => {
  const status = await stackUp(options());
  expect(status).toEqual({
    mode: "docker",
    isHealthy: true,
    services: [{ name: "grafana", state: "up", version: "13.2.3", address: "127.0.0.1:3100" }],
  });
  expect(changes()).toEqual([upWith("3100")]);
  expect(await stackStatus(options())).toEqual(status);
  await expect(stackUp({ ...options(), mode: "native" })).rejects.toThrow(
    "the stack is up in Docker",
  );

  await stackDown(options(), { isDataRemoved: true });
  expect(changes()).toEqual([downWithVolumes]);
  expect(await stackStatus(options())).toBeUndefined();
  expect(existsSync(options().folder)).toBe(false);
});

it("keeps what was asked for with the volumes, over a repair and a restart", async () => {
  await stackUp(options());
  await stackUp({ ...options(), settings: {} });
  await stackDown(options(), { isDataRemoved: false });
  await stackUp({ ...options(), settings: {} });
  expect(changes()).toEqual([upWith("3100"), upWith("3100"), down, upWith("3100")]);
});

it("removes the volumes of a stack that was ended before", async () => {
  await stackUp(options());
  await stackDown(options(), { isDataRemoved: false });
  expect(await stackStatus(options())).toBeUndefined();
  takeCalls();
  await stackDown(options(), { isDataRemoved: true });
  expect(changes()).toEqual([downWithVolumes]);
});

it("ends what was begun where Compose fails, and forgets what was asked for", async () => {
  touch("broken");
  await expect(stackUp(options())).rejects.toThrow(
    '"docker compose up --detach --build" ended with 1; what it said is above',
  );
  expect(changes().at(-1)).toBe(down);
  expect(await stackStatus(options())).toBeUndefined();
  rmSync(join(folder.path, "broken"));
  await stackUp({ ...options(), settings: {} });
  expect(changes()).toEqual([upWith("")]);
});

it("leaves a stack as it is that ran before, whoever started it, where Compose fails", async () => {
  touch("running");
  touch("broken");
  await expect(stackUp(options())).rejects.toThrow("ended with 1");
  expect(changes()).toEqual([upWith("3100")]);
  expect((await stackStatus(options()))?.isHealthy).toBe(true);
});

it("lets an interrupted Compose end before it ends what that has begun", async () => {
  touch("slow");
  const aborting = new AbortController();
  const up = stackUp({ ...options(), signal: aborting.signal });
  await vi.waitFor(() => expect(existsSync(join(folder.path, "running"))).toBe(true));
  aborting.abort();
  await expect(up).rejects.toThrow("abort");
  expect(takeCalls().slice(-2)).toEqual(["ended up", down]);
});

it("writes nothing where it cannot start: a setting that the file has not, or no Docker", async () => {
  const settings = { scrapeInterval: "1s" };
  await expect(stackUp({ ...options(), settings })).rejects.toThrow("--native");
  rmSync(join(folder.path, "docker"));
  const { machine } = options();
  const without = { ...machine, environment: { PATH: folder.path } };
  await expect(stackUp({ ...options(), machine: without, mode: "docker" })).rejects.toThrow(
    "there is no Docker that answers",
  );
  expect(existsSync(options().folder)).toBe(false);
});

it("waits for three scrapes, and 15 s at least", () => {
  const settings = { portOffset: 0, retention: "2y", scrapeInterval: "1m" };
  const native = { mode: "native", settings, services: [], leftOut: [] } as const;
  expect(settleTimeoutMs(native)).toBe(180_000);
  expect(settleTimeoutMs({ ...native, settings: { ...settings, scrapeInterval: "1s" } })).toBe(
    15_000,
  );
  expect(settleTimeoutMs({ ...native, mode: "docker" })).toBe(15_000);
});
