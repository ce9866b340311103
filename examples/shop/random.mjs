/**
 * Seeded randomness, so that two runs of the shop behave alike.
 *
 * In:  a seed, a 32-bit integer.
 * Out: numbers from 0 (inclusive) to 1 (exclusive), and delays drawn from a log-normal distribution.
 *
 * Source: mulberry32 (Tommy Ettinger, public domain); the Box-Muller transform.
 */

/** @returns {() => number} the next number of the sequence at each call */
export function createRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A delay in milliseconds with the given median; `spread` is the standard deviation of its logarithm.
 * Real response times have such a long right tail. Cut at ten medians, so that a run has an end.
 */
export function logNormalMs(random, medianMs, spread) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(medianMs * Math.exp(spread * normal), medianMs * 10);
}
