import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { describe, expect, it } from "vitest";
import { parseExpectStatus } from "../../src/generate/expect-status.ts";
import type * as Autocannon from "../../src/generate/autocannon.ts";
import type { Metric } from "../../src/sample/metric.ts";
import type { SampleSink, Tags } from "../../src/sample/sample.ts";

// The built package, as users run it: its worker thread cannot be TypeScript on Node 20.
const built = new URL("../../dist/generate/autocannon.js", import.meta.url).href;
const { runAutocannon }: typeof Autocannon = await import(built);

const vus = 4;
const defaults = {
  vus,
  durationMs: 700,
  method: "GET",
  headers: {},
  expectStatus: parseExpectStatus("200-399"),
};

describe("runAutocannon", () => {
  it.each([
    { server: "answers 200", answer: answerWith(() => 200), failed: 0 },
    {
      server: "answers with many statuses",
      answer: answerWith((n) => [200, 302, 404, 503][n % 4] ?? 0),
      failed: 1 / 2,
    },
    { server: "closes after each answer", answer: closing(answerWith(() => 200)), failed: 0 },
    {
      server: "cuts every fifth request off",
      answer: cutting(
        5,
        answerWith(() => 200),
      ),
      failed: 1 / 5,
    },
  ])("counts what a server counts that $server", async ({ answer, failed }) => {
    await using server = await startServer(answer);
    const sink = new RecordingSink();

    const result = await runAutocannon({ ...defaults, url: server.url }, sink);

    expect(result.requests).toBeGreaterThan(50);
    // The server has also seen the requests that were in flight at the end.
    const inFlight = server.requests() - result.requests;
    expect(inFlight).toBeGreaterThanOrEqual(0);
    expect(inFlight).toBeLessThanOrEqual(vus);
    expect(result.failed / result.requests).toBeCloseTo(failed, 1);
    expect(sink.sum("http_reqs")).toBe(result.requests);
    expect(sink.sum("iterations")).toBe(result.requests);
    expect(sink.values("http_req_duration")).toHaveLength(result.requests);
    expect(sink.sum("http_req_failed")).toBe(result.failed);
    expect(sink.sum("http_reqs", { status: "0" })).toBe(result.errors);
    expect(sink.sum("data_sent")).toBe(server.bytesPerRequest() * result.requests);
    // Times are those of single requests, one after the other, not of all that went before on a connection.
    expect(sink.sum("http_req_duration")).toBeLessThanOrEqual(vus * result.durationMs);
    expect(sink.timestampsNeverFall()).toBe(true);
  });

  it("tags samples as k6 does, and keeps user and password out of them", async () => {
    await using server = await startServer(answerWith((n) => (n % 2 === 0 ? 200 : 404)));
    const url = new URL(`${server.url.href}products?sort=price#top`);
    url.username = "captain";
    url.password = "secret";
    const sink = new RecordingSink();

    await runAutocannon(
      { ...defaults, url, method: "POST", body: "{}", headers: { "x-a": "b" } },
      sink,
    );

    const common = {
      method: "POST",
      name: `${server.url.href}products?sort=price`,
      scenario: "default",
    };
    for (const name of ["http_reqs", "http_req_duration", "http_req_failed"]) {
      expect(sink.tags(name)).toEqual(
        expect.arrayContaining([
          { ...common, status: "200", expected_response: "true" },
          { ...common, status: "404", expected_response: "false", error_code: "1404" },
        ]),
      );
      expect(sink.tags(name)).toHaveLength(2);
    }
    expect(server.lastHeaders()).toMatchObject({
      authorization: `Basic ${Buffer.from("captain:secret").toString("base64")}`,
      "x-a": "b",
      "content-length": "2",
    });
  });

  it("gives a refused connection the status 0 and an error code", async () => {
    const server = await startServer(answerWith(() => 200));
    const sink = new RecordingSink();

    const controller = new AbortController();
    const { signal } = controller;
    const running = runAutocannon(
      { ...defaults, durationMs: 60_000, url: server.url, signal },
      sink,
    );
    await sink.first("http_reqs");
    await server[Symbol.asyncDispose]();
    const refused = () => sink.sum("http_reqs", { error_code: "1212" });
    await expect.poll(refused, { timeout: 20_000 }).toBeGreaterThan(0);
    controller.abort();
    const { requests, errors } = await running;

    expect(errors).toBeGreaterThan(0);
    expect(sink.sum("http_reqs")).toBe(requests);
    expect(sink.sum("http_reqs", { status: "0" })).toBe(errors);
    expect(sink.tags("http_reqs")).toContainEqual(
      expect.objectContaining({ status: "0", error_code: "1212", error: "connection refused" }),
    );
  });

  it("holds a rate below what the server could answer", async () => {
    await using server = await startServer(answerWith(() => 200));
    const sink = new RecordingSink();
    const { requests } = await runAutocannon(
      { ...defaults, url: server.url, durationMs: 1_500, rate: 2, vus: 10 },
      sink,
    );
    expect(requests).toBeGreaterThanOrEqual(2);
    expect(requests).toBeLessThanOrEqual(4);
    // A connection makes at least one request per second, so there are no more of them than that.
    expect(new Set(sink.values("vus"))).toEqual(new Set([2]));
  });

  it.each(["in the middle of the run", "before it starts"])(
    "ends when aborted %s, with its counts",
    async (moment) => {
      await using server = await startServer(answerWith(() => 200));
      const sink = new RecordingSink();
      const controller = new AbortController();
      if (moment === "before it starts") controller.abort();

      const running = runAutocannon(
        { ...defaults, url: server.url, durationMs: 600_000, signal: controller.signal },
        sink,
      );
      await sink.first("vus");
      controller.abort();
      const { requests, durationMs } = await running;

      expect(durationMs).toBeLessThan(5_000);
      expect(sink.sum("http_reqs")).toBe(requests);
    },
  );

  it.each([
    {
      problem: "a refused connection",
      url: "http://127.0.0.1:1/?token=hidden",
      message: /"http:\/\/127\.0\.0\.1:1" cannot be loaded: .*ECONNREFUSED.*no request was made/,
    },
    { problem: "TLS where there is none", url: "https://PLAIN/", message: /cannot be loaded/ },
    {
      problem: "a method that autocannon does not know",
      url: "http://PLAIN/",
      method: "ANCHOR",
      message: /ANCHOR HTTP method is not supported/,
    },
    {
      problem: "HEAD, whose answers autocannon cannot read",
      url: "http://PLAIN/",
      method: "HEAD",
      message: /HEAD/,
    },
  ])("refuses $problem", async ({ url, method = "GET", message }) => {
    await using server = await startServer(answerWith(() => 200));
    const sink = new RecordingSink();
    const options = { ...defaults, method, url: new URL(url.replace("PLAIN", server.url.host)) };

    const running = runAutocannon(options, sink);

    await expect(running).rejects.toMatchObject({ code: "GENERATOR_UNAVAILABLE" });
    await expect(running).rejects.toThrow(message);
    expect(server.requests()).toBe(0);
  });
});

class RecordingSink implements SampleSink {
  readonly #series: { readonly metric: Metric; readonly tags: Tags }[] = [];
  readonly #samples: {
    readonly series: number;
    readonly timestampMs: number;
    readonly value: number;
  }[] = [];
  readonly #waiting = new Map<string, () => void>();

  series(metric: Metric, tags: Tags): number {
    return this.#series.push({ metric, tags }) - 1;
  }

  sample(series: number, timestampMs: number, value: number): void {
    this.#samples.push({ series, timestampMs, value });
    this.#waiting.get(this.#series[series]?.metric.name ?? "")?.();
  }

  dropped(): void {
    throw new Error("autocannon drops nothing");
  }

  /** Resolves when the metric has a sample. */
  first(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(name, resolve);
    });
  }

  values(name: string, tags: Readonly<Record<string, string>> = {}): number[] {
    return this.#samples
      .filter(({ series }) => {
        const entry = this.#series[series];
        const matches = Object.entries(tags).every(
          ([tag, value]) => entry?.tags.get(tag) === value,
        );
        return entry?.metric.name === name && matches;
      })
      .map(({ value }) => value);
  }

  sum(name: string, tags: Readonly<Record<string, string>> = {}): number {
    return this.values(name, tags).reduce((sum, value) => sum + value, 0);
  }

  tags(name: string): Record<string, string>[] {
    return this.#series
      .filter(({ metric }) => metric.name === name)
      .map(({ tags }) => Object.fromEntries(tags));
  }

  timestampsNeverFall(): boolean {
    return this.#samples.every(
      ({ timestampMs }, index, all) =>
        Number.isInteger(timestampMs) && timestampMs >= (all[index - 1]?.timestampMs ?? 0),
    );
  }
}

/** Answers the n-th request with a status, after about a millisecond. */
type Answer = (n: number, request: IncomingMessage, response: ServerResponse) => void;

function answerWith(status: (n: number) => number): Answer {
  return (n, _request, response) => {
    setTimeout(() => response.writeHead(status(n)).end("ahoy"), 1);
  };
}

function closing(answer: Answer): Answer {
  return (n, request, response) => {
    response.setHeader("connection", "close");
    answer(n, request, response);
  };
}

function cutting(every: number, answer: Answer): Answer {
  return (n, request, response) => {
    if (n % every === 0) request.socket.end();
    else answer(n, request, response);
  };
}

async function startServer(answer: Answer) {
  let requests = 0;
  let bytesPerRequest = 0;
  let lastHeaders: IncomingMessage["headers"] = {};
  const listener: RequestListener = (request, response) => {
    requests += 1;
    lastHeaders = request.headers;
    // The first request of the first connection is all that its socket has read.
    bytesPerRequest ||= request.socket.bytesRead;
    answer(requests, request, response);
  };
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: new URL(`http://127.0.0.1:${address.port}/`),
    requests: () => requests,
    bytesPerRequest: () => bytesPerRequest,
    lastHeaders: () => lastHeaders,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
