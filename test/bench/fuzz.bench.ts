/**
 * Broken pushes against the reader and the aggregator behind it, as many as FUZZ_INPUTS says, from the seed FUZZ_SEED:
 * each is refused without a trace, or understood. Fails on one that is not, and says which.
 */
import { expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { brokenBody, randomBreak } from "../support/broken-metric-sets.ts";
import { checkedReader } from "../support/checking-sink.ts";
import { seeded } from "../support/k6-run.ts";

const inputs = Number(process.env["FUZZ_INPUTS"] ?? 1_000_000);
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
/** A reader is a run: what one push leaves behind must not harm the next. */
const pushesPerRun = 1_000;

it(`survives ${inputs} broken pushes`, { timeout: 3_600_000 }, async () => {
  console.log(`seed ${seed}`);
  const random = seeded(seed);
  let [refused, understood, slowestMs] = [0, 0, 0];
  let { sink, read } = checkedReader();
  const startMs = performance.now();
  for (let n = 0; n < inputs; n++) {
    if (n % pushesPerRun === 0) ({ sink, read } = checkedReader());
    const body = brokenBody(randomBreak(random));
    const before = sink.buckets;
    const pushMs = performance.now();
    const error: unknown = await read(body).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    slowestMs = Math.max(slowestMs, performance.now() - pushMs);
    const which = `input ${n} of seed ${seed}: ${body.toString("base64")}`;
    if (error === undefined) understood++;
    else {
      refused++;
      if (!(error instanceof InputError)) throw new Error(which, { cause: error });
      if (sink.buckets !== before) throw new Error(`${which} is refused, and has left buckets`);
    }
    if (sink.violations.length > 0) throw new Error(`${which}: ${sink.violations.join("; ")}`);
  }
  const elapsedMs = performance.now() - startMs;
  const peakMb = process.resourceUsage().maxRSS / 1_024;
  console.log(
    `${refused} refused, ${understood} understood, in ${(elapsedMs / 1_000).toFixed(0)} s`,
  );
  console.log(`slowest push ${slowestMs.toFixed(1)} ms; at most ${peakMb.toFixed(0)} MB of memory`);
  expect(refused).toBeGreaterThan(inputs / 20);
  expect(understood).toBeGreaterThan(inputs / 20);
});
