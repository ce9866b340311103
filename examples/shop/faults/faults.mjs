/**
 * What can go wrong in the shop, on purpose: each fault is the real thing, on the resource that it is named for, and can
 * be switched on and off while the shop runs. `../../README.md` lists them with the signal to look at.
 *
 * In:  the parts of the shop that a fault works on.
 * Out: faults by name. Starting one gives the function that ends it and puts back all that it has changed.
 */
import { createDatabaseFaults } from "./database-faults.mjs";
import { createDiskFault } from "./disk-fault.mjs";
import { createCpuFault, createMemoryFault } from "./process-faults.mjs";

/** @typedef {ReturnType<typeof createFaults>} Faults */

/** What a payment takes longer, in milliseconds: a service that is overloaded, not one that is gone. */
const dependencyDelayMs = 400;

/**
 * @typedef {object} Fault One of them. `start` resolves when it is on, with what ends it.
 * @property {() => Promise<() => Promise<void>>} start
 * @property {() => void} [onRequest] Runs in each request while the fault is on.
 */

/**
 * @param {object} parts
 * @param {import("../database.mjs").Database} [parts.database] Without one, its faults are left out.
 * @param {import("../payments-client.mjs").Payments} parts.payments
 * @param {import("../metrics.mjs").Metrics} parts.metrics
 * @param {string} [parts.diskFolder] Default: beside the database's data where that is on this machine.
 */
export function createFaults({ database, payments, metrics, diskFolder }) {
  /** @type {Record<string, Fault>} */
  const faults = {
    ...(database && createDatabaseFaults({ database })),
    ...(database && { disk: createDiskFault({ database, folder: diskFolder }) }),
    cpu: createCpuFault(),
    memory: createMemoryFault(),
    dependency: {
      async start() {
        await payments.setDelay(dependencyDelayMs);
        return async () => void (await payments.setDelay(0));
      },
    },
  };
  const names = Object.keys(faults);
  /** What ends those that are on. @type {Map<string, () => Promise<void>>} */
  const active = new Map();
  /** One change at a time: two of the faults replace the pool. */
  let lastChange = Promise.resolve();

  metrics.observeFaults(() => names.map((name) => [name, active.has(name)]));

  async function change(name, isActive) {
    const end = active.get(name);
    if (isActive && !end) {
      active.set(name, await faults[name].start());
    } else if (!isActive && end) {
      await end();
      active.delete(name);
    }
  }

  return {
    names,
    list: () => names.map((fault) => ({ fault, active: active.has(fault) })),
    /** Resolves when it is on, or when nothing is left of it. Does nothing where it is so already. */
    set(name, isActive) {
      const changed = lastChange.then(() => change(name, isActive));
      lastChange = changed.catch(() => {});
      return changed;
    },
    onRequest() {
      for (const name of active.keys()) faults[name].onRequest?.();
    },
    async close() {
      for (const name of names) await this.set(name, false);
    },
  };
}
