import { expect, it } from "vitest";
import { parseProc, parsePs, readProcessUsage } from "../../../src/generate/process-usage.ts";

it("reads the processor time and the memory of a process whose name is no help", () => {
  const stat =
    "4711 (k6 run) (a) ) S 1 4711 4711 0 -1 4194560 9 0 0 0 1250 375 7 9 20 0 12 0 5 1 2 3 4 5";
  const status = "Name:\tk6\nVmPeak:\t  99999 kB\nVmRSS:\t   43384 kB\nThreads:\t12\n";
  expect(parseProc(stat, status)).toEqual({ cpuSeconds: 16.25, residentBytes: 43_384 * 1_024 });
});

it.each([
  { line: "00:01:05 43384\n", cpuSeconds: 65 },
  { line: "1-02:03:04 43384\n", cpuSeconds: 93_784 },
  { line: "  2:03.45  43384\n", cpuSeconds: 123.45 },
])("reads what ps prints: $line", ({ line, cpuSeconds }) => {
  expect(parsePs(line)).toEqual({ cpuSeconds, residentBytes: 43_384 * 1_024 });
});

it.each(["", "\n", "TIME RSS\n"])("reads nothing where ps prints no process: %j", (line) => {
  expect(parsePs(line)).toBeUndefined();
});

it("knows this process, and none that is not there", async () => {
  const usage = await readProcessUsage(process.pid);
  expect(usage?.cpuSeconds).toBeGreaterThan(0);
  // Within what Node says itself, read a moment later.
  const { user, system } = process.cpuUsage();
  expect(usage?.cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6 + 0.1);
  expect(usage?.residentBytes).toBeGreaterThan(10e6);
  expect(await readProcessUsage(2 ** 22 + 1)).toBeUndefined();
});
