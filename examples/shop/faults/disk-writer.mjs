/**
 * A thread of the fault `disk`: overwrites one file again and again, and has each piece on the disk before the next.
 */
import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { workerData as file } from "node:worker_threads";

const pieceBytes = 8 * 2 ** 20;

/** The file's size is bounded: 128 MiB. */
const pieces = 16;

const descriptor = openSync(file, "w");
const bytes = Buffer.alloc(pieceBytes, "hold ");
for (let piece = 0; ; piece = (piece + 1) % pieces) {
  writeSync(descriptor, bytes, 0, pieceBytes, piece * pieceBytes);
  fdatasyncSync(descriptor);
  // Lets the thread be ended.
  await setImmediate();
}
