/**
 * The end of a run which the database does not take at first, or not all of it: it is written as soon as it does, by this server
 * or by the next one. The database refuses by a trigger, which is real and hits nothing else.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LiveHost, startLiveHost } from "../support/live-host.ts";
import { PushingGenerator } from "../support/pushing-generator.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

/** Late samples are waited for a while before the end is written again. */
const patience = { timeout: 20_000, interval: 100 };
const count30 = { metric: "http_reqs", stat: "count", value: 30 };

describe.each([
  { column: "state", found: { state: "running", summary: [] } },
  { column: "summary", found: { state: "finished", summary: [] } },
])("an end whose $column the database did not take", ({ column, found }) => {
  let folder: TemporaryFolder;
  let store: ReceiverServer;
  let host: LiveHost;
  let runId: number;
  beforeEach(async () => {
    folder = await createTemporaryFolder();
    store = await startReceiverServer();
    // Nothing is kept for late samples.
    host = await startLiveHost({
      dataDir: folder.path,
      writeUrl: store.url,
      service: { lateMs: 0 },
    });
    runId = (await host.start({})).run.id;
    await new PushingGenerator(host, runId, "one").push(30);
    query(
      `create trigger refusal before update of ${column} on runs begin select raise(abort, 'no room'); end`,
    );
    await expect(host.end(runId, { state: "finished" })).rejects.toThrow("no room");
    expect(await host.run(runId)).toMatchObject(found);
  });
  afterEach(async () => {
    for (const one of [host, store, folder]) await one[Symbol.asyncDispose]();
  });

  const query = (text: string): void => {
    const database = new Libsql(join(folder.path, "plimsoll.db"), { timeout: 5_000 });
    database.exec(text);
    database.close();
  };
  const expectEnd = async (): Promise<void> => {
    await vi.waitFor(
      async () =>
        expect(await host.run(runId)).toMatchObject({
          state: "finished",
          result: "passed",
          summary: expect.arrayContaining([count30]),
        }),
      patience,
    );
    // With it, there is nothing left to do.
    const journal = join(folder.path, "journals", `${runId}.journal`);
    await vi.waitFor(() => expect(existsSync(journal)).toBe(false), patience);
  };

  it("is written as soon as it does", async () => {
    await vi.waitFor(() => expect(host.stderr.match(/no room/g)).toHaveLength(2), patience);
    query("drop trigger refusal");
    await expectEnd();
  });

  it("is written by the next server, where this one is killed before", async () => {
    await host.kill();
    query("drop trigger refusal");
    await host.restart();
    await expectEnd();
  });
});
