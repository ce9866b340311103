/** What is asked about a run again and again. */
import { expect, vi } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import type { QueryApi } from "./query-api.ts";

export function isOver({ ended }: Pick<RunView, "ended">): boolean {
  return ended !== null;
}

/** How many requests of the run the store has, over all its series; 0 where it has none. */
export async function requestsOf(
  store: QueryApi,
  { testid }: Pick<RunView, "testid">,
): Promise<number> {
  // The series may have ended already.
  const [sum] = await store.query(
    `sum(last_over_time(k6_http_reqs_total{testid="${testid}"}[5m]))`,
  );
  return sum?.value ?? 0;
}

/** Resolves when the store has so many requests of the run. Rejects after 20 s with what it has, and what k6 printed. */
export async function haveRequests(
  store: QueryApi,
  run: Pick<RunView, "testid">,
  requests: number | undefined,
  stderr = "",
): Promise<void> {
  expect(requests, stderr).toBeGreaterThan(0);
  // Not `expect.poll`, which does not know its test where several run at a time.
  const patience = { timeout: 20_000, interval: 200 };
  await vi.waitFor(
    async () => expect(await requestsOf(store, run), stderr).toBe(requests),
    patience,
  );
}
