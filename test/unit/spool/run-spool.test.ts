import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EncodedBatch } from "../../../src/encode/encoded-batch.ts";
import { inspectSpool, listSpools } from "../../../src/spool/list-spools.ts";
import { RunSpool } from "../../../src/spool/run-spool.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const batchOf = (text: string): EncodedBatch => ({
  protocol: "2",
  body: Buffer.from(text),
  samples: 3,
  histograms: 1,
  minTimestampMs: 1_700_000_000_000,
  maxTimestampMs: 1_700_000_001_000,
});
const manifest = {
  testid: "checkout-1",
  test: "checkout",
  url: "http://prom.test/api/v1/write",
  created: "2026-11-22T12:00:00.000Z",
};

/** What the queues hold, each from its first batch on, and takes it out. */
function drain(spool: RunSpool): string[][] {
  return spool.queues.map((queue) => {
    const texts: string[] = [];
    for (let batch; (batch = queue.peek()) !== undefined;) {
      texts.push(Buffer.from(batch.body).toString());
      queue.acknowledge(batch.sequence);
    }
    return texts;
  });
}

describe("ownership of the folder", () => {
  it("refuses a folder that is in use, and names the owner", async () => {
    await using folder = await createTemporaryFolder();
    await using spool = await RunSpool.open(folder.path);
    await expect(RunSpool.open(folder.path)).rejects.toThrow(
      `spool folder ${JSON.stringify(folder.path)} is in use by process ${process.pid}`,
    );
    expect(spool.queues[0]?.append(batchOf("a")).kind).toBe("appended");
  });

  it("leaves a folder alone that another process has taken in the meantime, and counts what it cannot keep", async () => {
    await using folder = await createTemporaryFolder();
    const paused = await RunSpool.open(folder.path, { manifest });
    const [queue] = paused.queues;
    queue?.append(batchOf("a"));
    const underWay = queue?.peek();
    const lockOfOther = "7\nits identity\na container\n";
    writeFileSync(join(folder.path, "lock"), lockOfOther);

    expect(queue?.append(batchOf("b"))).toMatchObject({ kind: "refused", reason: "spool_failed" });
    queue?.acknowledge(underWay?.sequence ?? 0);
    expect(queue?.peek()).toBeUndefined();
    await paused.close();
    expect(readFileSync(join(folder.path, "lock"), "utf8")).toBe(lockOfOther);
    expect(await inspectSpool(folder.path)).toMatchObject({
      ownerPid: 7,
      manifest,
      pending: { batches: 1 },
    });
  });

  it("says what is wrong with a folder that cannot be used", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, "");
    chmodSync(path, 0o600);
    await expect(RunSpool.open(path)).rejects.toThrow(
      /^spool folder ".*file" cannot be used: EEXIST.*expected a folder that this user can read/,
    );
  });
});

describe("queues", () => {
  it("refuses one queue's folder, and names the spool", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    await using spool = await RunSpool.open(directory, { queues: 2, manifest });
    spool.queues[0]?.append(batchOf("a"));
    const queue = join(directory, "queue-1-of-2");
    const says = `is one queue of the spool ${JSON.stringify(directory)}`;
    await expect(RunSpool.open(queue)).rejects.toThrow(says);
    expect(await inspectSpool(`${queue}/`)).toMatchObject({
      problem: expect.stringContaining(says),
      pending: { batches: 0 },
    });
    expect(drain(spool)).toEqual([["a"], []]);
  });

  it("keeps the number of queues while requests of an earlier process wait, and takes another when none do", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    {
      await using spool = await RunSpool.open(directory, { queues: 3, manifest });
      expect(spool.queues).toHaveLength(3);
      spool.queues[0]?.append(batchOf("a"));
      spool.queues[2]?.append(batchOf("c"));
    }
    {
      await using spool = await RunSpool.open(directory, { queues: 1 });
      expect(spool.recovered).toEqual({ batches: 2, truncatedBytes: 0, corruptRecords: 0 });
      expect(spool.pending).toMatchObject({ batches: 2, samples: 6, histograms: 2 });
      spool.queues[1]?.append(batchOf("b"));
      expect(drain(spool)).toEqual([["a"], ["b"], ["c"]]);
    }
    expect(existsSync(directory)).toBe(false);
    await using spool = await RunSpool.open(directory, { queues: 2 });
    expect(spool.queues).toHaveLength(2);
  });

  it("takes another number where a killed process has left only what is acknowledged", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    const killed = await RunSpool.open(directory, { queues: 2, manifest });
    killed.queues[1]?.append(batchOf("a"));
    drain(killed);
    writeFileSync(join(directory, "lock"), "99999999\n");
    await using spool = await RunSpool.open(directory, { queues: 1 });
    expect(spool.queues).toHaveLength(1);
    expect(readdirSync(directory).toSorted()).toEqual(["lock", "position.json", "spool.json"]);
  });

  it("shares the limit between them", async () => {
    await using folder = await createTemporaryFolder();
    await using spool = await RunSpool.open(folder.path, { queues: 2, limitBytes: 100 });
    const outcomes = ["a", "b", "c"].map((text, index) =>
      spool.queues[index % 2]?.append(batchOf(text)),
    );
    expect(outcomes.map((outcome) => outcome?.kind)).toEqual(["appended", "appended", "refused"]);
  });
});

describe("seen from outside", () => {
  it("tells whose it is, who has it and what waits, and changes nothing", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    await using spool = await RunSpool.open(directory, { queues: 2, manifest });
    spool.queues[0]?.append(batchOf("a"));
    spool.queues[1]?.append(batchOf("b"));
    spool.queues[1]?.append(batchOf("c"));
    spool.queues[1]?.peek();
    spool.queues[1]?.acknowledge(1);
    const [listing, ...others] = await listSpools(folder.path);
    expect(others).toEqual([]);
    expect(listing).toMatchObject({
      directory,
      manifest,
      ownerPid: process.pid,
      queues: 2,
      pending: spool.pending,
      corruptRecords: 0,
      minTimestampMs: 1_700_000_000_000,
      maxTimestampMs: 1_700_000_001_000,
      problem: undefined,
    });
    expect(drain(spool)).toEqual([["a"], ["c"]]);
  });

  it("keeps what is nobody else's business to itself", async () => {
    await using folder = await createTemporaryFolder();
    await using spool = await RunSpool.open(folder.path, { manifest });
    void spool;
    expect(statSync(join(folder.path, "spool.json")).mode & 0o777).toBe(0o600);
  });

  it.each(["", "{", '{"format":1,"testid":7}', "\0\0\0"])(
    "does without a manifest that is damaged: %j",
    async (content) => {
      await using folder = await createTemporaryFolder();
      {
        await using spool = await RunSpool.open(folder.path);
        spool.queues[0]?.append(batchOf("a"));
      }
      writeFileSync(join(folder.path, "spool.json"), content);
      const listing = await inspectSpool(folder.path);
      expect(listing).toMatchObject({ manifest: undefined, pending: { batches: 1 } });
      await using spool = await RunSpool.open(folder.path, { manifest });
      expect(drain(spool)).toEqual([["a"]]);
      expect((await inspectSpool(folder.path))?.manifest).toEqual(manifest);
    },
  );

  it("takes no other folder for a spool", async () => {
    await using folder = await createTemporaryFolder();
    writeFileSync(join(folder.path, "notes.txt"), "");
    expect(await inspectSpool(folder.path)).toBeUndefined();
    expect(await inspectSpool(join(folder.path, "notes.txt"))).toBeUndefined();
    expect(await inspectSpool(join(folder.path, "missing"))).toBeUndefined();
    expect(await listSpools(join(folder.path, "missing"))).toEqual([]);
  });
});

it("is sent to its end, and nothing of it twice, where its folder cannot be written any more", async () => {
  await using folder = await createTemporaryFolder();
  const directory = folder.path;
  const notices: string[] = [];
  const spool = await RunSpool.open(directory, {
    manifest,
    // A segment for each batch.
    segmentBytes: 1,
    onNotice: (text) => notices.push(text),
  });
  const [queue] = spool.queues;
  for (const text of ["a", "b", "c"]) queue?.append(batchOf(text));
  await withoutWriting(directory, async () => {
    expect(drain(spool)).toEqual([["a", "b", "c"]]);
    await spool.close();
  });
  expect(notices).toEqual([
    expect.stringMatching(/0001.segment" cannot be removed: EACCES.*; it takes room/),
  ]);
  expect(readdirSync(directory)).toContain("0000000000000001.segment");
  writeFileSync(join(directory, "lock"), "99999999\n");
  {
    await using again = await RunSpool.open(directory);
    expect(again.recovered.batches).toBe(0);
  }
  expect(existsSync(directory)).toBe(false);
});

it("removes what it could not remove before, when it can", async () => {
  await using folder = await createTemporaryFolder();
  await using spool = await RunSpool.open(folder.path, { segmentBytes: 1 });
  const [queue] = spool.queues;
  for (const text of ["a", "b", "c"]) queue?.append(batchOf(text));
  queue?.acknowledge(queue.peek()?.sequence ?? 0);
  await withoutWriting(folder.path, async () => {
    queue?.acknowledge(queue.peek()?.sequence ?? 0);
  });
  expect(readdirSync(folder.path)).toContain("0000000000000001.segment");
  queue?.peek();
  expect(readdirSync(folder.path).filter((name) => name.endsWith(".segment"))).toEqual([
    "0000000000000003.segment",
  ]);
});

/** As somebody who is not root, to whom no folder is closed. */
async function withoutWriting(directory: string, body: () => Promise<void>): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const nobody = 65_534;
  if (isRoot)
    for (const name of readdirSync(directory)) chownSync(join(directory, name), nobody, nobody);
  if (isRoot) chownSync(directory, nobody, nobody);
  chmodSync(directory, 0o500);
  if (isRoot) process.seteuid?.(nobody);
  try {
    await body();
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(directory, 0o700);
  }
}

it("forgets what is discarded, and leaves nothing behind", async () => {
  await using folder = await createTemporaryFolder();
  const directory = join(folder.path, "spool");
  {
    await using spool = await RunSpool.open(directory, { queues: 2, manifest });
    for (const queue of spool.queues) queue.append(batchOf("a"));
    expect(spool.discard()).toMatchObject({ batches: 2, samples: 6, histograms: 2 });
    expect(spool.pending).toEqual({ batches: 0, samples: 0, histograms: 0, bytes: 0 });
    expect(drain(spool)).toEqual([[], []]);
  }
  expect(existsSync(directory)).toBe(false);
});
