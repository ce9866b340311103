import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kill } from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isRunning, type ProcessRecord, recordOf } from "../../../src/process-identity.ts";
import { startDaemon, stopProcess } from "../../../src/stack/daemon.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

function shell(script: string): Promise<ProcessRecord> {
  return startDaemon({
    program: "/bin/sh",
    args: ["-c", script],
    env: { GREETING: "hello" },
    folder: folder.path,
    logFile: logFile(),
  });
}

const logFile = () => join(folder.path, "shell.log");

describe("a daemon", () => {
  it("is found by its record, until it has ended when asked", async () => {
    const record = await shell("exec sleep 60");
    expect(isRunning(record)).toBe(true);
    expect(await stopProcess(record)).toBe(true);
    expect(isRunning(record)).toBe(false);
  });

  it("writes what it prints to its log, and has no environment but its own", async () => {
    const record = await shell("echo $GREETING; echo ${HOME-none} >&2");
    await vi.waitFor(() => expect(isRunning(record)).toBe(false));
    expect(readFileSync(logFile(), "utf8")).toBe("hello\nnone\n");
  });

  it("has ended when nobody has taken note of its end", async () => {
    // The first process of many containers takes no note either; here it is a parent that sleeps.
    const parent = await shell("sleep 0.01 & echo $! > child; exec sleep 60");
    const child = await vi.waitFor(() => {
      const pid = Number(readFileSync(join(folder.path, "child"), "utf8"));
      expect(pid).toBeGreaterThan(0);
      return pid;
    });
    await vi.waitFor(() => expect(recordOf(child).identity).toBe("ended"));
    // It still has its id.
    expect(kill(child, 0)).toBe(true);
    await stopProcess(parent);
  });

  it("names the program that cannot be started", async () => {
    const command = { program: "/no/such", args: [], env: {}, folder: folder.path };
    await expect(startDaemon({ ...command, logFile: logFile() })).rejects.toThrow(
      /^"\/no\/such" cannot be started: .*ENOENT/,
    );
  });
});

it("takes no later process for ours that has got its id, and does not end it", async () => {
  const other = spawn("sleep", ["60"]);
  await once(other, "spawn");
  const { pid, identity } = recordOf(other.pid ?? 0);
  const ours = { pid, identity: `${identity}0` };
  expect(isRunning({ pid, identity })).toBe(true);
  expect(isRunning(ours)).toBe(false);
  expect(await stopProcess(ours)).toBe(true);
  expect(isRunning({ pid, identity })).toBe(true);
  other.kill("SIGKILL");
  await once(other, "exit");
  expect(isRunning({ pid, identity })).toBe(false);
});
