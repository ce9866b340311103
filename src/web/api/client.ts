/**
 * Asks the server: JSON in and out, failures in words that a reader can do something with.
 *
 * The cookie of the session goes with each request by itself. Who is not signed in any more is told so by one listener, the
 * session's.
 */

/** What the server refused, or that it was not there. `message` is for people. */
export class ApiError extends Error {
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** For programs, e.g. `not_found`; `unreachable` where there was no answer. */
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

let onSignedOut: () => void = () => undefined;

/** @param listener called when an answer says that nobody is signed in */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** @param path below `/api/v1`, with its query */
export function apiUrl(path: string): string {
  return new URL(`api/v1${path}`, document.baseURI).href;
}

/** @throws ApiError; what `signal` gives as its reason when it is aborted */
export async function ask(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = "GET", body, signal } = options;
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, "unreachable", "the server does not answer", { cause: error });
  }
  if (response.ok) return response;
  const error = await toError(response);
  // Whoever gives a token is about to be somebody.
  if (response.status === 401 && path !== "/session") onSignedOut();
  throw error;
}

/**
 * @typeParam Answer as the views of `src/server/api/` have it: page and server are of one build
 * @throws ApiError
 */
export async function askJson<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await ask(path, options);
  // The type is the route's own, see above.
  return (await response.json()) as Answer;
}

/** @param query what is undefined or empty is left out; of a list, each */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>,
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    for (const one of typeof value === "object" ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function toError(response: Response): Promise<ApiError> {
  const { status } = response;
  const retryAfter = response.headers.get("Retry-After");
  const body: unknown = await response.json().catch(() => undefined);
  const { code = `http_${status}`, message } = bodyOf(body);
  const words =
    message ?? `the server answers ${status}${status >= 500 ? ": its log says why" : ""}`;
  const hint = status === 429 && retryAfter !== null ? `; try again in ${retryAfter} s` : "";
  return new ApiError(status, code, words + hint);
}

/** What a proxy answers has another shape, or none. */
function bodyOf(body: unknown): { code?: string; message?: string } {
  if (typeof body !== "object" || body === null || !("error" in body)) return {};
  const { error } = body;
  if (typeof error !== "object" || error === null) return {};
  return {
    ...("code" in error && typeof error.code === "string" && { code: error.code }),
    ...("message" in error && typeof error.message === "string" && { message: error.message }),
  };
}
