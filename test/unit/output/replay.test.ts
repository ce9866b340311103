import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { Replay } from "../../../src/output/replay.ts";
import { tokenAuth } from "../../../src/send/auth/secret-auth.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { openSecretFile } from "../../../src/send/text-source.ts";
import { Transport } from "../../../src/send/transport.ts";
import { RunSpool } from "../../../src/spool/run-spool.ts";
import { startReceiverServer, storedAnswer } from "../../support/receiver-server.ts";
import { leaveSpool, valuesOf } from "../../support/spooled-run.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

/** Replays to a store for which the token in the file has ended; `renewed` is what the file holds after that. */
async function replayWith(renewed: string) {
  await using folder = await createTemporaryFolder();
  const tokenFile = join(folder.path, "token");
  writeFileSync(tokenFile, "ended");
  await using store = await startReceiverServer({
    defaultAnswer: (request) => {
      if (request.headers.authorization === "Bearer good") return storedAnswer(request);
      writeFileSync(tokenFile, renewed);
      return { status: 401, body: "who?" };
    },
  });
  const { url } = store;
  const run = await leaveSpool({
    spoolDir: folder.path,
    testid: "run-1",
    url,
    count: 3,
    queues: 2,
  });
  await using spool = await RunSpool.open(run.directory);
  const auth = tokenAuth("Bearer", await openSecretFile(tokenFile));
  const transport = new Transport({ url: new URL(url), timeoutMs: 30_000, connections: 2 });
  const clock = systemClock;
  await using client = new RemoteWriteClient({
    url,
    userAgent: "plimsoll/1",
    clock,
    auth,
    transport,
  });
  await using replay = new Replay({
    spool,
    client,
    clock,
    random: () => 0,
    sampleAgeLimitMs: 0,
    patienceMs: 5_000,
    onNotice: () => undefined,
  });
  const ended = await replay.send(new AbortController().signal).then(
    () => "sent",
    (error: Error) => error.message,
  );
  const stored = store.requests.filter(({ headers }) => headers.authorization === "Bearer good");
  return { ended, values: [0, 1].map((queue) => valuesOf(run, stored, queue)) };
}

it("goes on with a token that was renewed during the replay, in every queue", async () => {
  expect(await replayWith("good")).toEqual({
    ended: "sent",
    values: [
      [1, 2, 3],
      [1, 2, 3],
    ],
  });
});

it.each(["ended", "wrong"])("ends where the file then holds %j", async (renewed) => {
  const { ended, values } = await replayWith(renewed);
  expect(ended).toContain("refuses this: HTTP 401");
  expect(values).toEqual([[], []]);
});
