/**
 * A proxy before a store's write endpoint, on a free loopback port: passes requests on, but for those with which
 * something goes wrong. What comes through is checked against the specification (`violations`).
 */
import { createServer, request as startRequest, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { findFreePort } from "../../src/free-port.ts";
import { decodeWriteRequest } from "./decode-write-request.ts";
import { protocolOf } from "./receiver-server.ts";
import { StrictReceiver } from "./strict-receiver.ts";

export type Fault =
  /** Answers by itself. */
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Never answers. */
  | "hang"
  /** The store gets the first half of the body, and both connections are reset. */
  | "cut_request"
  /** The store has the request, and the connection is reset before its answer. */
  | "lose_answer"
  /** The store has the request, and the connection is reset in the middle of an answer. */
  | "cut_answer";

export interface FaultyProxyOptions {
  /** Of the store's write endpoint. */
  readonly target: string;
  /** What goes wrong with the n-th request, from 0. `undefined`: nothing. */
  readonly fault: (n: number, body: Buffer) => Fault | undefined;
}

export interface FaultyProxy extends AsyncDisposable {
  /** Of the write endpoint. */
  readonly url: string;
  /** Of each request: the size of its body, and what went wrong or the store's answer. */
  readonly requests: readonly { readonly bytes: number; readonly end: Fault | number }[];
  /** Broken rules of the specification, a series out of order among them. */
  readonly violations: readonly string[];
  /** Nothing listens: connections are refused, and those that there are are reset. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
}

export async function startFaultyProxy({
  target,
  fault,
}: FaultyProxyOptions): Promise<FaultyProxy> {
  const requests: { bytes: number; end: Fault | number }[] = [];
  const violations: string[] = [];
  const strict = new StrictReceiver();
  const server = createServer((incoming, response) => {
    const reset = () => incoming.socket.resetAndDestroy();
    const answer = async () => {
      const body = await buffer(incoming);
      const forward = (part: Buffer) =>
        passOn(target, { ...incoming.headers, host: new URL(target).host }, body.length, part);
      const wrong = fault(requests.length, body);
      const record = { bytes: body.length, end: wrong ?? 0 };
      requests.push(record);
      if (typeof wrong === "object") return end(response, wrong);
      if (wrong === "hang") return;
      if (wrong === "cut_request") {
        await forward(body.subarray(0, body.length / 2)).catch(() => undefined);
        return reset();
      }
      const stored = await forward(body);
      record.end = wrong ?? stored.status;
      const protocol = protocolOf(incoming.headers);
      // A 400 to 2.0 has stored what is good.
      const isStored = stored.status < 300 || (protocol === "2" && stored.status === 400);
      violations.push(...strict.check(protocol, decodeWriteRequest(protocol, body), isStored));
      if (wrong === "lose_answer") return reset();
      if (wrong === undefined) return end(response, stored);
      response.writeHead(200, { "Content-Length": "100" }).write("half", reset);
    };
    answer().catch((error: unknown) => {
      // A store that is not there, or a sender that has given up, is no mistake of the proxy's.
      if (!(error instanceof Error && "code" in error)) violations.push(String(error));
      reset();
    });
  });
  // While it is down nobody else gets its port.
  const port = await findFreePort();
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen();
  return {
    url: `http://127.0.0.1:${port}${new URL(target).pathname}`,
    requests,
    violations,
    goDown: close,
    comeUp: listen,
    [Symbol.asyncDispose]: close,
  };
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

function end(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

/** Sends `part` of a body of `length` bytes, and rejects where that is not all of it. */
function passOn(
  url: string,
  headers: NodeJS.Dict<string | string[]>,
  length: number,
  part: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = startRequest(url, { method: "POST", headers }, (incoming) => {
      const read = async () => ({
        status: incoming.statusCode ?? 0,
        headers: Object.fromEntries(
          Object.entries(incoming.headers).flatMap(([name, value]) =>
            name.startsWith("x-") && typeof value === "string" ? [[name, value]] : [],
          ),
        ),
        body: await buffer(incoming),
      });
      resolve(read());
    });
    outgoing.on("error", reject);
    if (part.length === length) outgoing.end(part);
    else outgoing.write(part, () => outgoing.destroy(new Error("cut")));
  });
}
