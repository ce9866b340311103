/**
 * Loaded into the measured process beside the command (`node --expose-gc --import`): tells its memory when asked.
 */
const { gc } = globalThis;

process.on("message", () => {
  const rssBytes = process.memoryUsage.rss();
  gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({
    rssBytes,
    rssAfterGcBytes: rss,
    liveBytes: heapUsed + external,
    // Linux and macOS differ in the unit of getrusage; libuv gives kilobytes on both.
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
  });
});
// The command ends when its work is done, whether or not somebody may ask.
process.channel?.unref();
