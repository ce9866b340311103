/**
 * A store that a test started, to be asked as the server asks it.
 */
import { createStore, type Store } from "../../src/query/store.ts";
import type { MetricsStore } from "./prometheus.ts";

export function queryStoreOf({ writeUrl }: Pick<MetricsStore, "writeUrl">): Store {
  return createStore(
    {
      displayUrl: writeUrl,
      async ask(url, form, { timeoutMs }) {
        const signal = AbortSignal.timeout(timeoutMs);
        const answer = await fetch(url, { method: "POST", body: form, signal });
        return { kind: "answer", status: answer.status, body: await answer.text() };
      },
    },
    new URL(writeUrl.replace(/write$/, "query")),
  );
}
