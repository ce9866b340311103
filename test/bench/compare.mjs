/**
 * Lets several ways of doing one thing take turns, and says how long the best turn of each took.
 *
 * The best turn is the one that other work on the machine disturbed least.
 */

/**
 * @template {string} Name
 * @param {Readonly<Record<Name, () => unknown>>} ways Each is called once per round; a promise is awaited.
 * @param {number} rounds After two rounds that warm up.
 * @returns {Promise<Record<Name, number>>} Nanoseconds of the best turn.
 */
export async function bestTurns(ways, rounds) {
  const names = /** @type {Name[]} */ (Object.keys(ways));
  const best = /** @type {Record<Name, number>} */ (
    Object.fromEntries(names.map((name) => [name, Infinity]))
  );
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      const start = process.hrtime.bigint();
      await ways[name]();
      const elapsed = Number(process.hrtime.bigint() - start);
      if (round >= 0) best[name] = Math.min(best[name], elapsed);
    }
  }
  return best;
}
