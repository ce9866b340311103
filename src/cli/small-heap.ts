/**
 * Keeps V8's heap close to what is alive in it, for the commands that take samples. To be imported first.
 *
 * V8 takes memory to save collections: up to 48 MB for young objects, and up to four times what is alive for old ones.
 * Samples leave next to nothing to collect, so this memory saves nothing; and buffers that lie outside of the heap wait
 * for the collection that it puts off. Measured at 100 000 series: docs/performance.md. Both flags are read when a
 * collection ends, so they may be set while the program runs. V8 of Node 20 and 24 has them; one that had not would say
 * so on stderr and go on.
 */
import process from "node:process";
import { setFlagsFromString } from "node:v8";

if (["run", "ingest", "serve"].includes(process.argv[2] ?? "")) {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=20");
}
