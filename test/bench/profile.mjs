/**
 * Says which functions take the time of some work, or the memory that it allocates.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const shown = 20;

/**
 * Prints the share of each function's own time, and writes a profile that Chrome's developer tools open.
 *
 * @param {() => unknown} work
 * @param {string} file
 */
export async function profileCpu(work, file) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  /** @type {Map<string, number>} */
  const self = new Map();
  const { samples = [], timeDeltas = [] } = profile;
  for (const [index, id] of samples.entries()) {
    add(self, names.get(id) ?? "", timeDeltas[index] ?? 0);
  }
  print(self, "% of the time", (value, total) => (100 * value) / total);
  console.log(`written to ${file}`);
}

/**
 * Prints how many bytes each function allocates per unit of work, garbage included.
 *
 * @param {() => unknown} work
 * @param {number} units
 */
export async function profileHeap(work, units) {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 8_192,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await work();
  const { profile } = await session.post("HeapProfiler.stopSampling");
  session.disconnect();
  /** @type {Map<string, number>} */
  const self = new Map();
  const queue = [profile.head];
  for (let node = queue.pop(); node; node = queue.pop()) {
    add(self, nameOf(node.callFrame), node.selfSize);
    queue.push(...node.children);
  }
  print(self, "bytes per sample", (value) => value / units);
}

/** @param {{ functionName: string, url: string, lineNumber: number }} callFrame */
function nameOf({ functionName, url, lineNumber }) {
  const file = url.split("/").slice(-2).join("/");
  return `${functionName === "" ? "(anonymous)" : functionName} ${file}:${lineNumber + 1}`;
}

/**
 * @param {Map<string, number>} sums
 * @param {string} name
 * @param {number} value
 */
function add(sums, name, value) {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

/**
 * @param {Map<string, number>} self
 * @param {string} unit
 * @param {(value: number, total: number) => number} toShown
 */
function print(self, unit, toShown) {
  const total = [...self.values()].reduce((sum, value) => sum + value, 0);
  console.log(`functions by ${unit}, of ${toShown(total, total).toFixed(1)}:`);
  for (const [name, value] of [...self].sort((a, b) => b[1] - a[1]).slice(0, shown)) {
    console.log(`${toShown(value, total).toFixed(1).padStart(7)}  ${name}`);
  }
}
