/**
 * `npm run bench -- NAME [ARGUMENTS]`: measures a hot path against the built package, and prints ratios.
 *
 *   ingest [FILE]  k6's JSON lines to encoded requests, against JSON.parse of each line; with --cpu-prof or --heap-prof,
 *                  which functions take the time or allocate
 *   memory [PART]  memory of plimsoll ingest by series, over an hour of data, under an attack of unique URLs
 *   encode         points to compressed requests, against the npm package prometheus-remote-write
 *   generator      requests/s and processor time of k6 with Plimsoll, against k6's own Prometheus output
 *   attribution    faults of the example shop, and which resource answers for the slow time
 *   queues         parallel queues into a receiver that is slow to answer
 *   cloud          a hundred generators that push to one server: answers, memory, processor
 *   fuzz           a million broken pushes against what reads k6's cloud protocol; fails on one that leaves a trace
 *   crashes        k6 with a server that is killed twenty times, and Prometheus away for a minute; fails on a lost sample
 *   history        the queries of the dashboard History over a thousand runs, and what a run takes on disk
 *   page           the page in Chromium: frames per second beside a run of two hours that goes on, and its first load
 *   list [RUNS]    the list of 10 000 runs over HTTP, embedded and in Postgres: every order, filter and search
 *
 * What is compared takes turns in one process, because these figures depend on the machine and its other work;
 * a ratio does so less. Nothing fails on a figure.
 */
import { cpus } from "node:os";
import { ensureBuild, ensureDependencies, ensureNode } from "./setup.mjs";

const names = [
  "ingest",
  "memory",
  "encode",
  "generator",
  "attribution",
  "queues",
  "history",
  "list",
  "cloud",
  "fuzz",
  "crashes",
  "page",
];
const [name, ...args] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join("|")}`);
  process.exitCode = 2;
} else {
  ensureNode();
  await ensureDependencies();
  await ensureBuild();
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}`);
  const { bench } = await import(`../test/bench/${name}.mjs`);
  await bench(args);
}
