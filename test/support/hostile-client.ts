/**
 * Whoever asks a server in ways in which k6 does not: whole requests from an address of one's own, as a proxy would hand
 * them on (`--trust-proxy 127.0.0.1`), and bytes that are no request.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a form as one, and an iterable in chunks without a length. */
  readonly body?: object | string | Buffer | FormData | Iterable<Buffer>;
}

export type Ask = (path: string, question?: Question) => Promise<Answer>;

/** @param address Of the client, whose limits are its own */
export function clientOf(url: string, address: string): Ask {
  return async (path, { method = "POST", token, headers = {}, body } = {}) => {
    const { type, content } = toContent(body);
    const response = await fetch(url + path, {
      method,
      headers: {
        "X-Forwarded-For": address,
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(type !== undefined && { "Content-Type": type }),
        ...headers,
      },
      ...(content !== undefined && { body: content, duplex: "half" }),
      redirect: "manual",
    } as RequestInit);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

function toContent(body: Question["body"]): { type?: string; content?: unknown } {
  if (body === undefined || body instanceof FormData) return { content: body };
  if (typeof body === "string" || Buffer.isBuffer(body)) return { content: body };
  if (Symbol.iterator in body) return { content: Readable.toWeb(Readable.from(body)) };
  return { type: "application/json", content: JSON.stringify(body) };
}

/** Sends bytes and reads until the server ends the connection. */
export async function sendRaw(url: string, text: string | Buffer): Promise<string> {
  const socket = await connectTo(url);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  const closed = closeOf(socket);
  socket.end(text);
  await closed;
  return answer;
}

/** A client that never comes to an end: a byte each 100 ms. Resolves, when the server ends it, to its answer. */
export async function trickle(url: string, head: string): Promise<string> {
  const socket = await connectTo(url);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  const closed = closeOf(socket);
  socket.write(head);
  const timer = setInterval(() => socket.writable && socket.write("x"), 100);
  await closed;
  clearInterval(timer);
  return answer;
}

/** Also of one that was reset, for which `once` would reject. */
async function closeOf(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once("close", resolve));
}

async function connectTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // A server that ends a connection may reset it.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}
