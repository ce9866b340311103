/** docs/delivery.md says of every status what the code makes of it. */
import { describe, expect, it } from "vitest";
import { classifyResponse } from "../../src/send/classify-response.ts";
import { lastingReasons } from "../../src/send/request-sender.ts";
import { readTable, uncode } from "../support/markdown.ts";

const nowMs = 1_700_000_000_000;
const written = { "x-prometheus-remote-write-samples-written": "1" };

const rows = await readTable("delivery.md", "## What is done about each answer");

/** `401`, `403` or `300`-`399`. */
function covers(answer: string, status: number): boolean {
  return [...answer.matchAll(/`(\d+)`(?:-`(\d+)`)?/g)].some(
    ([, first, last = first]) => status >= Number(first) && status <= Number(last),
  );
}

describe.each(["1", "2"] as const)("remote write %s.0", (protocol) => {
  it("has a row for every status, with the kind that the code gives it", () => {
    const sent = { protocol, samples: 1, histograms: 0 };
    for (let status = 200; status <= 599; status++) {
      // Of 2.0 it is in the second table.
      if (status === 415 && protocol === "2") continue;
      const [, kind = ""] = rows.find(([answer = ""]) => covers(answer, status)) ?? [];
      const outcome = classifyResponse({ status, headers: written, body: "" }, sent, nowMs);
      expect([status, uncode(kind)]).toEqual([status, outcome.kind]);
    }
    expect(rows).toHaveLength(12);
  });
});

it("says of which failures the queue is held after some tries", async () => {
  const more = await readTable("delivery.md", "And beside the statuses:");
  const lasting = [...rows, ...more].filter(([, , what = ""]) => what.includes("five times"));
  const reasons = lasting.flatMap(([answer = ""]) =>
    [...answer.matchAll(/`(\w+)`/g)].map(([, reason = ""]) =>
      /^\d+$/.test(reason) ? `http_${reason}` : reason,
    ),
  );
  expect(reasons.sort()).toEqual([...lastingReasons].sort());
});
