/**
 * Faults of the shop's own process: its one thread, and its heap.
 */
import { pbkdf2Sync } from "node:crypto";
import { PerformanceObserver, constants, performance } from "node:perf_hooks";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";

const { heap_size_limit: heapLimitBytes } = v8.getHeapStatistics();

/** Of hashing in each request, in milliseconds: ten clients without a pause fill the thread many times over. */
const burnMs = 30;

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

/** Small objects that each request leaves behind, and their size with what refers to them, about. */
const leakedObjects = 2_000;
const leakedBytes = leakedObjects * 120;

/**
 * How full of what has leaked the heap gets. V8 ends a process whose old generation is still above 0.8 of its limit after
 * several collections that took most of the time (`Heap::IsIneffectiveMarkCompact` in V8's heap.cc), so we stay below.
 */
const leakedRatio = 0.68;

/** What requests need for a moment once the heap is full: half a MiB in each page, kept until 16 others have come. */
const page = Array.from({ length: 2 ** 16 }, () => 0.5);
const pagesPerRequest = 2;
const keptPages = 16;

/**
 * `memory`: each request leaves small objects behind, until the heap is nearly full of them. From then on what requests
 * need for a moment fills the rest again and again, and each time the collector walks over all that has leaked.
 */
export function createMemoryFault() {
  /** @type {object[][]} */
  let leaked = [];
  /** @type {number[][]} */
  let pages = [];
  /** Measured after each collection of the old generation, estimated in between. */
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
        leaked = [];
        pages = [];
        collectGarbage();
      };
    },
    onRequest() {
      if (liveBytes < leakedRatio * heapLimitBytes) {
        leaked.push(Array.from({ length: leakedObjects }, (_, id) => ({ id, path: [id, id] })));
        liveBytes += leakedBytes;
      } else {
        const fresh = Array.from({ length: pagesPerRequest }, () => page.slice());
        // Kept long enough to leave the young generation, whose collection is cheap.
        pages = [...pages, ...fresh].slice(-keptPages);
      }
    },
  };
}

/** V8 would leave the garbage where it is until it needs the room, and the heap would look full for minutes. */
function collectGarbage() {
  v8.setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
