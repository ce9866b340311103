/**
 * Lets several ways of doing one thing take turns, and compares them round by round: what disturbs the machine
 * disturbs both sides of a ratio.
 *
 * Time is the processor's, of all threads of the process (the collector's too): waiting for a core that another
 * process has is not counted.
 */

/**
 * @template {string} Name
 * @param {Readonly<Record<Name, () => unknown>>} ways Each is called once per round; a promise is awaited.
 * @param {number} rounds After two rounds that warm up.
 * @returns {Promise<Record<Name, number[]>>} Nanoseconds of processor time of each turn, in the order of the rounds.
 */
export async function takeTurns(ways, rounds) {
  const names = /** @type {Name[]} */ (Object.keys(ways));
  const turns = /** @type {Record<Name, number[]>} */ (
    Object.fromEntries(names.map((name) => [name, []]))
  );
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      const start = process.cpuUsage();
      await ways[name]();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) turns[name].push((user + system) * 1_000);
    }
  }
  return turns;
}

/**
 * How many times faster `turns` were than `base`, in words.
 *
 * @param {readonly number[]} base
 * @param {readonly number[]} turns
 */
export function ratioText(base, turns) {
  const ratios = base.map((elapsed, round) => elapsed / (turns[round] ?? NaN));
  const [low, middle, high] = [Math.min(...ratios), median(ratios), Math.max(...ratios)];
  return `${middle.toFixed(2)} × (${low.toFixed(2)} to ${high.toFixed(2)} in ${ratios.length} rounds)`;
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
