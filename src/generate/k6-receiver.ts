/**
 * Takes the place of k6's cloud for one run: `k6 run --out cloud` sends its samples here, summed up per second.
 *
 * In:  k6's requests, over the loopback interface; the address holds a secret, so that no other program's are taken.
 * Out: the bodies of its pushes, one after the other, and the end of the run.
 *
 *     POST /v1/tests          create a run        answered with how to sum up and when to push
 *     POST /v2/metrics/ID     a push              answered when its samples are taken over
 *     POST /v1/tests/ID       the run is over
 *
 * k6 sums up whole seconds of the clock, and looks once a second for one that is over, beginning when its run was created.
 * So the answer to that is held back until shortly after a second has begun: samples are then fresh.
 *
 * Source: k6 `cloudapi/api.go`, `internal/output/cloud/output.go`, `output/cloud/expv2/output.go`, `collect.go` (v2.2.0;
 * the same of v1.8.1).
 */
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Clock } from "../clock.ts";

/** Digits only: k6 refuses another one when it traces. */
const runId = "1";
/** How long after a second's end k6 looks for it: its samples are handed from VU to output every 50 ms. */
const afterSecondMs = 100;

/** Times are Go durations. One push holds all series, so that a second arrives as a whole. */
const config = {
  aggregationPeriod: "1s",
  // The least that k6 allows.
  aggregationWaitPeriod: "1s",
  metricPushInterval: "100ms",
  maxTimeSeriesInBatch: 10_000_000,
  tracesEnabled: false,
};

export interface K6ReceiverOptions {
  readonly clock: Clock;
  /** Called for one push after the other. A rejection ends the run: what it was about is lost. */
  readonly onPush: (body: Buffer) => Promise<void>;
}

export interface K6Receiver extends AsyncDisposable {
  /** For `K6_CLOUD_HOST`. */
  readonly url: string;
  /** When k6 created its run, Unix milliseconds; undefined until then. */
  readonly createdMs: number | undefined;
  /**
   * Resolves when k6 has said that the run is over, or after `release`, and what had come until then is taken over.
   * Rejects as `onPush` did.
   */
  readonly ended: Promise<void>;
  /** k6 is gone. */
  release(): void;
}

export async function startK6Receiver({ clock, onPush }: K6ReceiverOptions): Promise<K6Receiver> {
  const secret = `/${randomBytes(16).toString("hex")}`;
  const aborter = new AbortController();
  const end = new EventEmitter();
  // A second error tells nothing new, and would be thrown where nobody listens.
  end.on("error", () => undefined);
  const ended = once(end, "end").then(() => {
    isOver = true;
    return taken;
  });
  // Whoever waits for it hears of it.
  ended.catch(() => undefined);
  let createdMs: number | undefined;
  let isOver = false;
  let lastKey: string | undefined;
  /** Of all pushes until now. */
  let taken = Promise.resolve();

  const create = async (response: ServerResponse): Promise<void> => {
    const waitMs = (1_000 + afterSecondMs - (clock.nowMs() % 1_000)) % 1_000;
    createdMs ??= clock.nowMs() + waitMs;
    await clock.sleep(waitMs, aborter.signal);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ reference_id: runId, config }));
  };
  const push = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request).catch(() => undefined);
    // Cut off, or too late.
    if (body === undefined || isOver) return void response.destroy();
    const key = request.headers["k6-idempotency-key"]?.toString();
    // k6 sends a push once more that it has not heard of in time, also while we are at it: it waits for the first.
    if (key === undefined || key !== lastKey) taken = taken.then(() => onPush(body));
    lastKey = key;
    await taken;
    response.end();
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      switch (`${request.method} ${request.url}`) {
        case `POST ${secret}/v1/tests`:
          return await create(response);
        case `POST ${secret}/v2/metrics/${runId}`:
          return await push(request, response);
        case `POST ${secret}/v1/tests/${runId}`:
          response.end();
          end.emit("end");
          return;
        default:
          response.writeHead(404).end();
      }
    };
    answer().catch((error: unknown) => {
      end.emit("error", error);
      response.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server on a port has an address and a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${secret}`,
    get createdMs() {
      return createdMs;
    },
    ended,
    release: () => void end.emit("end"),
    async [Symbol.asyncDispose]() {
      aborter.abort();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
