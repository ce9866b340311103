/**
 * How k6's garbage collector is set where k6 sums its samples up for us.
 *
 * Go collects whenever the heap has doubled (GOGC=100). k6's Prometheus output keeps five seconds of samples; its cloud
 * output keeps one, so its heap is smaller by about half, and doubles as much more often. GOGC=200 gives that memory back
 * to the collector, and takes a tenth off what a request costs: docs/performance.md. So that it never makes the difference
 * to a k6 with many VUs, GOMEMLIMIT holds k6 to four fifths of the memory that there is, as far as what is alive in it
 * allows: at 100 % it would ask for more from where half of that is alive.
 *
 * Source: Go, "A Guide to the Go Garbage Collector".
 */
import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";

const memoryShare = 0.8;

/** Variables for k6; none where the user has set one of them. */
export function collectorVariables(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  if (env["GOGC"] !== undefined || env["GOMEMLIMIT"] !== undefined) return {};
  // The container's, where there is a limit; else it is zero, or more than there is.
  const availableBytes = Math.min(totalmem(), constrainedMemory() || Infinity);
  return { GOGC: "200", GOMEMLIMIT: String(Math.floor(availableBytes * memoryShare)) };
}
