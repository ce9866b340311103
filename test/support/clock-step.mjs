/**
 * Loaded into a process of its own with `node --import`: SIGUSR2 sets that process's wall clock back by an hour, as a machine's
 * is that was ahead. Its monotonic clock goes on, as a machine's does.
 */
import process from "node:process";

const wallMs = Date.now.bind(Date);
let stepMs = 0;
Date.now = () => wallMs() + stepMs;
process.on("SIGUSR2", () => (stepMs -= 3_600_000));
