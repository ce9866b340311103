/**
 * How long the real server takes to answer for a list of 10 000 runs, embedded and in Postgres: every order, the first page
 * and a deep one, filters, searches, and what there is to choose from; counting all that match is part of each answer.
 *
 * In:  LIST_RUNS.
 * Out: milliseconds of one request after another, as a client on this machine sees them, and how long the server's process
 *      was at the processor for each, which other work on the machine changes less. Nothing fails on them.
 */
import { it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { readProcessUsage } from "../../src/generate/process-usage.ts";
import { runSorts, sortOrders } from "../../src/runs/run-repository.ts";
import type { RunListView } from "../../src/server/api/run-view.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { type CloudServer, startCloudServer } from "../support/cloud-server.ts";
import { makeManyRuns } from "../support/many-runs.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { startReceiverServer } from "../support/receiver-server.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";

const count = Number(process.env["LIST_RUNS"]);
const rounds = 25;
const timeout = 30 * 60_000;

it("lists embedded runs", { timeout }, async () => {
  await using folder = await createTemporaryFolder();
  await measureServer("embedded", { dataDir: folder.path }, ["--data-dir", folder.path]);
});

describeWithPostgres("in Postgres", (postgres) => {
  it("lists runs", { timeout }, async () => {
    const databaseUrl = postgres().url;
    await measureServer("Postgres", { databaseUrl, dataDir: "/nonexistent" }, [
      "--database-url",
      databaseUrl,
    ]);
  });
});

async function measureServer(
  name: string,
  options: { readonly databaseUrl?: string; readonly dataDir: string },
  flags: readonly string[],
): Promise<void> {
  const beganMs = performance.now();
  {
    await using repository = await openRepository({ ...options, clock: systemClock });
    await makeManyRuns(repository, count);
  }
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  await using receiver = await startReceiverServer();
  await using server = await startCloudServer({ writeUrl: receiver.url, flags });
  console.log(`\n${name}: ${count} runs, made in ${seconds} s; ${rounds} requests each, in ms`);
  console.log(row("query", ["p50", "p99", "max", "CPU", "found"]));
  for (const [what, path] of await queriesOf(server)) {
    const { times, cpuMs, found } = await measure(server, path);
    const at = (share: number) => times[Math.ceil(times.length * share) - 1] ?? NaN;
    const figures = [at(0.5), at(0.99), at(1), cpuMs].map((ms) => ms.toFixed(1));
    console.log(row(what, [...figures, found]));
  }
}

async function queriesOf(server: CloudServer): Promise<(readonly [what: string, path: string])[]> {
  const queries: (readonly [string, string])[] = [];
  for (const sort of runSorts) {
    for (const order of sortOrders) {
      const sorted = `sort=${sort}&order=${order}`;
      let after = "";
      for (let deep = 0; deep < Math.floor(count * 0.9); deep += 1_000) {
        const page = await ask(server, `/runs?${sorted}&limit=1000${after}`);
        after = page.next === null ? after : `&after=${page.next}`;
      }
      queries.push([`${sort} ${order}`, `/runs?${sorted}`]);
      queries.push([`${sort} ${order}, deep`, `/runs?${sorted}${after}`]);
    }
  }
  for (const [what, filter] of [
    ["a test", "test=checkout"],
    ["a state", "state=timed_out"],
    ["going on", "state=created&state=initializing&state=running"],
    ["failed", "result=failed"],
    ["starred", "starred=true"],
    ["a month", "from=2026-03-01T00:00:00Z&before=2026-04-01T00:00:00Z"],
    ["a frequent tag", "tag=env%3Dstaging"],
    ["two tags", "tag=env%3Dstaging&tag=team%3Dshop"],
    ["a rare tag", "tag=release%3D1.77"],
    ["no such tag", "tag=release%3Dnone"],
    ["a frequent word", "search=check"],
    ["a word of a note", "search=4711"],
    ["no such word", "search=nowhere-at-all"],
    ["10 kB of a word", `search=${"x".repeat(10_000)}`],
    ["a bit of everything", "test=checkout&result=failed&tag=env%3Dstaging&search=sale"],
  ] as const) {
    for (const sort of ["created", "duration"] as const) {
      queries.push([`${what}, by ${sort}`, `/runs?${filter}&sort=${sort}`]);
    }
  }
  queries.push(["1 000 at a time", "/runs?limit=1000"], ["tests", "/tests"], ["tags", "/tags"]);
  return queries;
}

async function measure(
  server: CloudServer,
  path: string,
): Promise<{ readonly times: readonly number[]; readonly cpuMs: number; readonly found: string }> {
  const { total } = await ask(server, path);
  const cpuSeconds = async () => (await readProcessUsage(server.process.pid))?.cpuSeconds ?? NaN;
  const cpuBefore = await cpuSeconds();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const beganMs = performance.now();
    await (await server.ask("GET", path)).arrayBuffer();
    times.push(performance.now() - beganMs);
  }
  const cpuMs = (((await cpuSeconds()) - cpuBefore) * 1_000) / rounds;
  return {
    times: times.sort((a, b) => a - b),
    cpuMs,
    found: total === undefined ? "" : String(total),
  };
}

async function ask(server: CloudServer, path: string): Promise<Partial<RunListView>> {
  return (await (await server.ask("GET", path)).json()) as Partial<RunListView>;
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(34) + cells.map((cell) => cell.padStart(8)).join("");
}
