import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recordOf } from "../../../src/process-identity.ts";
import { defaultSettings, settleSettings } from "../../../src/stack/plan.ts";
import { lockFolder, readState, type StackState, writeState } from "../../../src/stack/state.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const state: StackState = {
  mode: "native",
  settings: { portOffset: 10, retention: "90d", scrapeInterval: "1s" },
  services: [
    {
      name: "prometheus",
      port: 9100,
      version: "3.15.0",
      program: "/usr/bin/prometheus",
      logFile: "/x/prometheus.log",
      pid: 4242,
      identity: "boot 1",
    },
  ],
  leftOut: [{ name: "grafana", reason: "not found" }],
  databaseUrl: "postgres://shop:secret@127.0.0.1:15432/shop",
};

it("gives back the state that was written, which only its owner can read", () => {
  expect(readState(folder.path)).toBeUndefined();
  writeState(folder.path, state);
  expect(readState(folder.path)).toEqual(state);
  expect(statSync(join(folder.path, "state.json")).mode & 0o077).toBe(0);
});

it.each(["", "{}", '{"mode":"native"}'])("names the file whose content is %j", (text) => {
  writeFileSync(join(folder.path, "state.json"), text);
  expect(() => readState(folder.path)).toThrow(
    /^the stack's state in ".*state\.json" cannot be read/,
  );
});

it("keeps a second start out until the first has ended", () => {
  {
    using lock = lockFolder(folder.path);
    void lock;
    expect(() => lockFolder(folder.path)).toThrow(`another plimsoll (process ${process.pid})`);
  }
  lockFolder(folder.path)[Symbol.dispose]();
  expect(readdirSync(folder.path)).toEqual([]);
});

it.each([
  ["has ended", JSON.stringify({ ...recordOf(process.pid), identity: "an earlier process" })],
  ["was killed while it wrote", '{"pid":'],
])("takes over the lock of a start that %s", (_, text) => {
  writeFileSync(join(folder.path, "lock"), text);
  lockFolder(folder.path)[Symbol.dispose]();
  expect(readdirSync(folder.path)).toEqual([]);
});

it("takes the settings that were asked for, then those of the data, then the defaults", () => {
  expect(settleSettings({ portOffset: 1 }, undefined, false)).toEqual({
    ...defaultSettings,
    portOffset: 1,
  });
  expect(settleSettings({}, state, false)).toEqual(state.settings);
  expect(settleSettings({ retention: "3d" }, state, false)).toEqual({
    ...state.settings,
    retention: "3d",
  });
  expect(settleSettings({}, state, true)).toEqual(state.settings);
  expect(settleSettings({ retention: "90d" }, state, true)).toEqual(state.settings);
  expect(() => settleSettings({ retention: "3d", portOffset: 11 }, state, true)).toThrow(
    /portOffset 11, retention 3d: run "plimsoll down"/,
  );
});
