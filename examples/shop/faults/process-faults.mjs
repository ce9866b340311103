/**
 * Faults of the shop's own process: its one thread, and its heap.
 */
import { pbkdf2Sync } from "node:crypto";
import { PerformanceObserver, constants, performance } from "node:perf_hooks";
import v8 from "node:v8";

/** Of hashing in each request, in milliseconds: ten clients without a pause fill the thread many times over. */
const burnMs = 20;

/** `cpu`: passwords hashed on the event loop, for a fixed time, so that it is as bad on a fast machine. */
export function createCpuFault() {
  return {
    start: async () => async () => {},
    onRequest() {
      const endMs = performance.now() + burnMs;
      while (performance.now() < endMs) pbkdf2Sync("ahoy", "salt", 500, 32, "sha256");
    },
  };
}

/** The size of an object that leaks and its overhead, about; 1 000 of them per chunk. */
const objectBytes = 100;
const objectsPerChunk = 2_000;

/**
 * How full of live objects the heap gets. V8 ends a process whose old generation stays above 0.8 after collections that
 * take most of the time (`Heap::IsIneffectiveMarkCompact` in V8's heap.cc); garbage fills the rest between collections.
 */
const liveRatio = 0.72;

/**
 * `memory`: each request leaves small objects behind. When the heap is nearly full of them the oldest go, so that it
 * stays nearly full: the collector has to walk over all of it, again and again, to find little.
 */
export function createMemoryFault() {
  /** @type {object[][]} */
  let chunks = [];
  /** After the last collection of the old generation, and what has come since. */
  let liveBytes = 0;

  const observer = new PerformanceObserver((list) => {
    const isMajor = ({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if (list.getEntries().some(isMajor)) liveBytes = v8.getHeapStatistics().used_heap_size;
  });

  return {
    async start() {
      liveBytes = v8.getHeapStatistics().used_heap_size;
      observer.observe({ entryTypes: ["gc"] });
      return async () => {
        observer.disconnect();
        chunks = [];
      };
    },
    onRequest() {
      const limitBytes = liveRatio * v8.getHeapStatistics().heap_size_limit;
      chunks.push(Array.from({ length: objectsPerChunk }, (_, id) => ({ id, visited: [id, id] })));
      liveBytes += objectsPerChunk * objectBytes;
      if (liveBytes > limitBytes) {
        chunks.shift();
        liveBytes -= objectsPerChunk * objectBytes;
      }
    },
  };
}
