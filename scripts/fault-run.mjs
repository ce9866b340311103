/**
 * One run against the example shop with one of its faults switched on in the middle, and what Prometheus says of it.
 *
 * In:  a stack that `plimsoll up` started: its Prometheus scrapes the shop, its database and its host.
 * Out: for each resource the share of the slow time that it answers for, as the Correlation dashboard shows it.
 */
import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {object} Attribution
 * @property {number} slowShare Share of the run that was slow, from 0 to 1.
 * @property {readonly { resource: string, advice: string, share: number }[]} answers The highest share first.
 */

/**
 * @param {object} options
 * @param {string} options.storeUrl
 * @param {string} options.testid
 * @param {number} options.endMs Time of the run's last point.
 * @param {number} options.rangeSeconds The run's length.
 * @param {number} options.scrapeSeconds The interval at which the system is scraped.
 * @returns {Promise<Attribution>}
 */
export async function askWhatAnswers({ storeUrl, testid, endMs, rangeSeconds, scrapeSeconds }) {
  // On a fresh clone this file is loaded before there is a build.
  const { answers, fillIn, slowShare } = await import("../dist/dashboards/attribution.js");
  const question = {
    testid,
    rangeSeconds,
    stepSeconds: scrapeSeconds,
    windowSeconds: 4 * scrapeSeconds,
  };
  const ask = (/** @type {string} */ expr) => instant(storeUrl, fillIn(expr, question), endMs);
  const [slow] = await ask(slowShare);
  const ranked = (await ask(answers())).map(({ metric, value }) => ({
    resource: metric["resource"] ?? "",
    advice: metric["advice"] ?? "",
    share: Number(value[1]),
  }));
  return {
    slowShare: slow === undefined ? Number.NaN : Number(slow.value[1]),
    answers: ranked.toSorted((a, b) => b.share - a.share),
  };
}

/**
 * @param {string} shopUrl
 * @param {string} fault
 * @param {"on" | "off"} state
 */
export async function switchFault(shopUrl, fault, state) {
  const method = state === "on" ? "PUT" : "DELETE";
  const response = await fetch(`${shopUrl}/faults/${fault}`, { method });
  if (!response.ok) {
    throw new Error(
      `the shop answers ${response.status} to ${method} /faults/${fault}: ${await response.text()}`,
    );
  }
}

/**
 * Switches a fault on and off again while something runs; off also where it is cut short.
 *
 * @param {object} options
 * @param {string} options.shopUrl
 * @param {string} options.fault
 * @param {number} options.afterMs
 * @param {number} options.forMs
 * @param {AbortSignal} options.signal
 */
export async function faultFor({ shopUrl, fault, afterMs, forMs, signal }) {
  await delay(afterMs, undefined, { signal });
  await switchFault(shopUrl, fault, "on");
  try {
    await delay(forMs, undefined, { signal });
  } finally {
    await switchFault(shopUrl, fault, "off");
  }
}

/**
 * @param {string} storeUrl
 * @param {string} query
 * @param {number} atMs
 * @returns {Promise<readonly { metric: Record<string, string>, value: [number, string] }[]>}
 */
async function instant(storeUrl, query, atMs) {
  const body = new URLSearchParams({ query, time: String(atMs / 1_000) });
  const response = await fetch(`${storeUrl}/api/v1/query`, { method: "POST", body });
  /** @type {{ status: string, error?: string, data: { result: readonly { metric: Record<string, string>, value: [number, string] }[] } }} */
  const answer = JSON.parse(await response.text());
  if (answer.status !== "success") throw new Error(`${answer.error}, asked: ${query}`);
  return answer.data.result;
}
