/**
 * A remote-write receiver that does what the test says: a real HTTP server on a free loopback port.
 *
 * It decodes each request with an independent library, records it, checks it against the specification
 * (`violations`), and answers from a script; without one as a receiver of both protocols that stores all.
 */
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createHttpsServer, type ServerOptions as HttpsOptions } from "node:https";
import { buffer } from "node:stream/consumers";
import type { RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import { decodeWriteRequest, type DecodedRequest } from "./decode-write-request.ts";
import { checkHeaders, StrictReceiver } from "./strict-receiver.ts";

export type ScriptedAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Reads the request and never answers. */
  | "hang"
  /** Reads the request and resets the connection. */
  | "reset";

export interface ReceivedRequest extends DecodedRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** By the content type, read as Prometheus reads it. */
  readonly protocol: RemoteWriteProtocol;
  /** As it was sent. */
  readonly body: Buffer;
}

export interface ReceiverServerOptions {
  /** Given one by one, in order. */
  readonly answers?: readonly ScriptedAnswer[];
  /** When `answers` is used up. Default: 204, for 2.0 with Written headers that count all points. */
  readonly defaultAnswer?: (request: ReceivedRequest) => ScriptedAnswer;
  /** Makes it an HTTPS server. */
  readonly tls?: HttpsOptions;
}

export interface ReceiverServer extends AsyncDisposable {
  /** Of the write endpoint. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Broken rules of the specification, one line each, in order. */
  readonly violations: readonly string[];
  /** How many connections were opened. */
  readonly connections: number;
  /** Resolves when that many requests have been read, answered or not. */
  waitForRequests(count: number): Promise<void>;
}

/** Every point is stored: what a receiver of 2.0 answers, and right for 1.0 too. */
export function storedAnswer({ protocol, series }: ReceivedRequest): ScriptedAnswer {
  if (protocol === "1") return { status: 204 };
  const count = (kind: "samples" | "histograms") =>
    String(series.reduce((sum, { [kind]: points }) => sum + points.length, 0));
  return {
    status: 204,
    headers: {
      "X-Prometheus-Remote-Write-Samples-Written": count("samples"),
      "X-Prometheus-Remote-Write-Histograms-Written": count("histograms"),
      "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    },
  };
}

export async function startReceiverServer(
  options: ReceiverServerOptions = {},
): Promise<ReceiverServer> {
  const answers = [...(options.answers ?? [])];
  const defaultAnswer = options.defaultAnswer ?? storedAnswer;
  const requests: ReceivedRequest[] = [];
  const violations: string[] = [];
  const strict = new StrictReceiver();
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let connections = 0;

  const server = options.tls ? createHttpsServer(options.tls) : createHttpServer();
  server.on("connection", () => {
    connections += 1;
  });
  server.on("request", (incoming, response) => {
    if (incoming.method === "GET") {
      // It has no query API.
      response.writeHead(404).end();
      return;
    }
    const answerRequest = async () => {
      const body = await buffer(incoming);
      const { headers, method = "", url: path = "" } = incoming;
      const protocol = protocolOf(headers);
      violations.push(...checkHeaders(protocol, headers, body.length));
      let decoded: DecodedRequest = { series: [], metadata: [], symbols: [] };
      let refusal: string | undefined;
      try {
        decoded = decodeWriteRequest(protocol, body);
      } catch (error) {
        refusal = `the body cannot be decoded: ${String(error)}`;
        violations.push(refusal);
      }
      const request = { ...decoded, method, path, headers, protocol, body };
      requests.push(request);
      const answer =
        answers.shift() ??
        (refusal === undefined ? defaultAnswer(request) : { status: 400, body: refusal });
      const isStored = typeof answer === "object" && answer.status >= 200 && answer.status <= 299;
      violations.push(...strict.check(protocol, decoded, isStored));
      if (answer === "reset") {
        incoming.socket.resetAndDestroy();
      } else if (answer !== "hang") {
        response.writeHead(answer.status, answer.headers).end(answer.body);
      }
      waiting = waiting.filter(({ count, resolve }) => {
        if (count > requests.length) return true;
        resolve();
        return false;
      });
    };
    answerRequest().catch((error: unknown) => {
      // A request that its sender gave up is no request; anything else is a mistake of the test.
      if (incoming.complete) violations.push(String(error));
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return {
    url: `${options.tls ? "https" : "http"}://127.0.0.1:${address.port}/api/v1/write`,
    requests,
    violations,
    get connections() {
      return connections;
    },
    waitForRequests: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Read without trimming, as in client_golang `exp/api/remote`: a space before `proto` makes it 1.0. */
export function protocolOf({
  "content-type": contentType = "",
}: IncomingHttpHeaders): RemoteWriteProtocol {
  return contentType.split(";").includes("proto=io.prometheus.write.v2.Request") ? "2" : "1";
}
