/**
 * The runs of a server, by its API.
 */
import type { ChartSet, RunTables } from "../charts/chart-data.ts";
import { ServerError, UsageError, messageOf } from "../errors.ts";
import { StoreUnreachable } from "../query/store.ts";
import { redactUrl } from "../config/redact-url.ts";
import type { RunListView, RunView } from "../server/api/run-view.ts";
import type { CreatedShare } from "../server/api/session-view.ts";
import type { CreatedRun, RunsAccess } from "./runs-access.ts";

/** An export may take longer in all, but not to begin. */
const timeoutMs = 30_000;

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export function runsOfServer(server: string, token: string | undefined): RunsAccess {
  if (token === undefined) {
    throw new UsageError(
      'no token for the server: give --token, or set PLIMSOLL_TOKEN; "plimsoll token create" makes one',
    );
  }
  const base = `${server.replace(/\/+$/, "")}/api/v1`;

  async function ask(
    method: string,
    path: string,
    { query = {}, body }: { readonly query?: Query; readonly body?: unknown } = {},
  ): Promise<Response> {
    const url = new URL(base + path);
    for (const [name, value] of Object.entries(query)) {
      for (const item of value === undefined ? [] : [value].flat()) {
        url.searchParams.append(name, String(item));
      }
    }
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutMs);
    try {
      const response = await fetch(url, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body !== undefined && { "Content-Type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // A redirect would lead elsewhere with the token.
        redirect: "error",
        signal: timeout.signal,
      });
      if (!response.ok) throw await toError(response, server);
      return response;
    } catch (cause) {
      const isAnswer = [ServerError, UsageError, StoreUnreachable].some(
        (kind) => cause instanceof kind,
      );
      if (isAnswer) throw cause;
      const reason =
        cause instanceof Error && cause.cause ? messageOf(cause.cause) : messageOf(cause);
      throw new ServerError(
        `the server ${JSON.stringify(redactUrl(server))} does not answer: ${reason}`,
        {
          cause,
        },
      );
    } finally {
      clearTimeout(timer);
    }
  }

  const run = (name: string): string => `/runs/${encodeURIComponent(name)}`;
  return {
    list: async (query) =>
      (await (await ask("GET", "/runs", { query: { ...query } })).json()) as RunListView,
    show: async (name) => (await (await ask("GET", run(name))).json()) as RunView,
    change: async (name, body) =>
      (await (await ask("PATCH", run(name), { body })).json()) as RunView,
    delete: async (name) => void (await ask("DELETE", run(name))),
    async *export(name) {
      const { body } = await ask("GET", `${run(name)}/export`);
      if (body) yield* body;
    },
    charts: async (name, set, points) =>
      (await (
        await ask("GET", `${run(name)}/charts`, { query: { set, points } })
      ).json()) as ChartSet,
    tables: async (name) => (await (await ask("GET", `${run(name)}/tables`)).json()) as RunTables,
    async *log(name) {
      const { body } = await ask("GET", `${run(name)}/logs`);
      if (body) yield* body;
    },
    create: async (body) => (await (await ask("POST", "/runs", { body })).json()) as CreatedRun,
    end: async (name, body) =>
      (await (await ask("POST", `${run(name)}/end`, { body })).json()) as RunView,
    stop: async (name) => void (await ask("POST", `${run(name)}/stop`)),
    share: async (name, seconds) => {
      const body = seconds === undefined ? {} : { seconds };
      return (await (await ask("POST", `${run(name)}/shares`, { body })).json()) as CreatedShare;
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function toError(
  response: Response,
  server: string,
): Promise<UsageError | ServerError | StoreUnreachable> {
  const { code, message } = errorIn(await response.text());
  if (code === "store_unreachable" && message !== undefined) return new StoreUnreachable(message);
  // What is not from a Plimsoll server says nothing that is worth reading.
  const said = message ?? `HTTP ${response.status}, and not in the words of a Plimsoll server`;
  if (message !== undefined && [400, 404, 409].includes(response.status))
    return new UsageError(said);
  return new ServerError(`the server ${JSON.stringify(redactUrl(server))} refused: ${said}`);
}

function errorIn(text: string): { readonly code?: unknown; readonly message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    return typeof error?.message === "string" ? { code: error.code, message: error.message } : {};
  } catch {
    // Not JSON.
    return {};
  }
}
