/**
 * Lists of 10 000 runs, as large as those of a big script: how long each takes, embedded or in a Postgres, whose
 * database has to be empty.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../dist/clock.js";
import { openRepository } from "../../dist/store/open-repository.js";

const count = 10_000;
const rounds = 9;

/** @param {readonly string[]} args */
export async function bench([databaseUrl]) {
  const dataDir = await mkdtemp(join(tmpdir(), "plimsoll-bench-"));
  const repository = await openRepository({ databaseUrl, dataDir, clock: systemClock });
  try {
    await measure("made and ended, each", count, () => fill(repository));
    const { next } = await repository.list({}, { limit: 1_000 });
    /** @type {Record<string, () => Promise<unknown>>} */
    const lists = {
      "the newest 50": () => repository.list({}, {}),
      "50 after 1 000": () => repository.list({}, { after: next ?? "" }),
      "of a test": () => repository.list({ test: "test-3" }, {}),
      "that failed": () => repository.list({ result: "failed" }, {}),
      "that go on": () => repository.list({ states: ["running"] }, {}),
      "with a tag": () => repository.list({ tags: { env: "e7" } }, {}),
      "with a word": () => repository.list({ search: "sale" }, {}),
    };
    for (const [name, list] of Object.entries(lists)) {
      await measure(`list ${name}`, rounds, async () => {
        for (let round = 0; round < rounds; round++) await list();
      });
    }
  } finally {
    await repository[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true });
  }
}

/**
 * @param {string} name
 * @param {number} times
 * @param {() => Promise<void>} run
 */
async function measure(name, times, run) {
  const beganMs = performance.now();
  await run();
  console.log(`${name.padEnd(24)} ${((performance.now() - beganMs) / times).toFixed(1)} ms`);
}

/** @param {Awaited<ReturnType<typeof openRepository>>} repository */
async function fill(repository) {
  const stages = Array.from({ length: 40 }, (_, target) => ({ duration: "10s", target }));
  const summary = Array.from({ length: 120 }, (_, n) => ({
    metric: `m${n}`,
    stat: "p99",
    value: n / 7,
  }));
  for (let n = 0; n < count; n++) {
    const test = await repository.ensureTest(1, `test-${n % 20}`, n);
    const { id } = await repository.create({
      testId: test.id,
      testid: `run-${n}`,
      source: "cloud-v1",
      generator: "k6/2.1.0",
      startedBy: "ci",
      options: { scenarios: { load: { executor: "ramping-vus", stages } } },
      maxVus: 40,
      expectedSeconds: 400,
      thresholds: [],
      tags: { env: `e${n % 100}` },
      note: n % 500 === 0 ? "before the sale" : "",
      createdMs: 1_700_000_000_000 + n,
      tokenHash: `${n}`,
      idempotencyKey: `${n}`,
      serverId: "",
    });
    await repository.change(id, { summary });
    const isOn = n > count - 5;
    await repository.enter(
      id,
      { state: isOn ? "running" : "finished", atMs: n },
      isOn ? undefined : n % 7 === 0 ? "failed" : "passed",
    );
  }
}
