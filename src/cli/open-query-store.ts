/**
 * Opens the store that samples go to, to be asked: where it answers PromQL, and with the credentials of the output.
 */
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { createClient } from "../output/create-client.ts";
import { queryUrlOf } from "../query/instant-query.ts";
import { createStore, type Store } from "../query/store.ts";
import { userAgent } from "../version.ts";

/** A store that is not there within this time will not answer in time either. */
const connectTimeoutMs = 2_000;
/** As many questions as are asked at a time. */
const connections = 4;

/** No I/O but the files that hold secrets. @throws InputError, ConfigError as `createClient` */
export async function openQueryStore(
  options: RemoteWriteOptions & { readonly queryUrl: string | undefined },
  clock: Clock,
): Promise<Store & AsyncDisposable> {
  const url = toQueryUrl(options);
  const client = await createClient(
    { ...options, url: url.href, timeoutMs: connectTimeoutMs, queues: connections },
    { clock, userAgent },
  );
  const { origin, pathname } = new URL(options.url);
  const displayUrl = origin + pathname;
  const store = createStore(
    { displayUrl, ask: (to, form, limits) => client.ask(to, form, limits) },
    url,
  );
  return { ...store, [Symbol.asyncDispose]: () => client.close() };
}

/** `--query-url` is what a Grafana data source has: what is before `/api/v1`. */
function toQueryUrl({
  url,
  queryUrl,
}: {
  readonly url: string;
  readonly queryUrl: string | undefined;
}): URL {
  const found = queryUrl === undefined ? queryUrlOf(url) : undefined;
  if (found) return found;
  const base = new URL(queryUrl ?? url);
  base.pathname = `${base.pathname.replace(/\/+$/, "")}/api/v1/query`;
  base.search = "";
  return base;
}
