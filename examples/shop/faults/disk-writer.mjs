/**
 * The process of the fault `disk`: overwrites files again and again, and waits at each turn until they are on the disk.
 *
 * Large turns keep the disk's queue full with few calls, so that another file's fsync waits behind them while the CPU
 * stays free for those who have something to do.
 *
 * Started by `disk-fault.mjs` with the files as its arguments; ends when its standard input does.
 */
import { open } from "node:fs/promises";

/** 32 MiB between two syncs; a file's size is twice that. */
const bytes = Buffer.alloc(2 ** 20, "hold ");
const writesPerTurn = 32;

process.stdin.on("end", () => process.exit()).resume();
// Ctrl-C reaches the whole process group; the shop ends us, and then removes the files.
process.on("SIGINT", () => {});

async function overwrite(file) {
  const handle = await open(file, "w");
  for (let turn = 0; ; turn += 1) {
    const startBytes = (turn % 2) * writesPerTurn * bytes.length;
    for (let write = 0; write < writesPerTurn; write += 1) {
      await handle.write(bytes, 0, bytes.length, startBytes + write * bytes.length);
    }
    await handle.datasync();
  }
}

await Promise.all(process.argv.slice(2).map(overwrite));
