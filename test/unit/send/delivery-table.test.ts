/**
 * What the sender does about each answer: a row for each row of the remote-write reference, 5.4. The receiver and the
 * client are real; time passes as soon as somebody waits, and the waits are the result.
 */
import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/clock.ts";
import type { RequestAuth } from "../../../src/send/auth/request-auth.ts";
import { tokenAuth } from "../../../src/send/auth/secret-auth.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { Sender, type SenderOptions } from "../../../src/send/sender.ts";
import { fixedText } from "../../../src/send/text-source.ts";
import { Spool } from "../../../src/spool/spool.ts";
import { toRemoteWrite1 } from "../../../src/encode/transcode.ts";
import { gaugeBatch } from "../../support/gauge-batch.ts";
import {
  startReceiverServer,
  storedAnswer,
  type ReceivedRequest,
  type ReceiverServerOptions,
  type ScriptedAnswer,
} from "../../support/receiver-server.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const startMs = 1_700_000_000_000;

/** Time passes as soon as somebody waits. */
class SkippingClock implements Clock {
  #nowMs = startMs;
  readonly waitsMs: number[] = [];
  /** Ends what is under way, at so many waits. */
  readonly #limit: { readonly waits: number; readonly stop: () => void } | undefined;

  constructor(limit?: { readonly waits: number; readonly stop: () => void }) {
    this.#limit = limit;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.waitsMs.push(durationMs);
    if (this.waitsMs.length === this.#limit?.waits) this.#limit.stop();
    signal?.throwIfAborted();
    this.#nowMs += durationMs;
  }
}

interface Sent {
  readonly waitsMs: readonly number[];
  /** By request: protocol, series, and `Retry-Attempt`. */
  readonly requests: readonly string[];
  readonly delivered: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly pending: number;
  /** What the callbacks were told. */
  readonly told: readonly string[];
  readonly violations: readonly string[];
  readonly lastState: Sender["state"];
}

interface Settings extends ReceiverServerOptions {
  readonly protocol?: "1" | "2";
  /** Series in each batch. Default 4. */
  readonly series?: number;
  /** Default 1. */
  readonly batches?: number;
  /** Gives up at so many waits. Default: never. */
  readonly waitLimit?: number;
  readonly url?: (receiver: string) => string;
  readonly sender?: Partial<SenderOptions>;
  readonly refreshCredentials?: () => Promise<boolean>;
  readonly timeoutMs?: number;
  readonly auth?: RequestAuth;
}

async function send(settings: Settings): Promise<Sent> {
  const {
    protocol = "1",
    series = 4,
    batches = 1,
    waitLimit = Infinity,
    url = (it) => it,
  } = settings;
  await using folder = await createTemporaryFolder();
  await using server = await startReceiverServer(settings);
  await using spool = await Spool.open(folder.path);
  const gaveUp = new AbortController();
  let lastState: Sender["state"] = { kind: "idle" };
  const clock = new SkippingClock({
    waits: waitLimit,
    stop: () => {
      lastState = sender.state;
      gaveUp.abort();
      void sender.stop();
    },
  });
  await using client = new RemoteWriteClient({
    url: url(server.url),
    userAgent: "plimsoll/1.2.3",
    clock,
    auth: settings.auth,
    ...(settings.timeoutMs !== undefined && { timeoutMs: settings.timeoutMs }),
  });
  const { refreshCredentials } = settings;
  const told: string[] = [];
  const sender: Sender = new Sender({
    spool,
    client: {
      send: (...args) => client.send(...args),
      ...(refreshCredentials && { refreshCredentials }),
    },
    clock,
    random: () => 0,
    downgrade: toRemoteWrite1,
    onHeld: (reason, text) => told.push(`held ${reason}: ${text}`),
    onRejected: (reason, text) => told.push(`lost ${reason}: ${text}`),
    ...settings.sender,
  });
  for (let n = 0; n < batches; n++) spool.append(gaugeBatch(protocol, series, startMs + n));
  sender.wake();
  await new Promise<void>((resolve) => {
    gaveUp.signal.addEventListener("abort", () => resolve());
    const look = () => (sender.state.kind === "idle" ? resolve() : void setImmediate(look));
    look();
  });
  await sender.stop();
  const { delivered, rejected } = sender.totals;
  return {
    waitsMs: clock.waitsMs,
    requests: server.requests.map((request) =>
      [
        `${request.protocol}.0`,
        request.series.length,
        ...[request.headers["retry-attempt"] ?? []].flat().map((attempt) => `retry ${attempt}`),
      ].join(" "),
    ),
    delivered: delivered.samples,
    rejected: Object.fromEntries([...rejected].map(([reason, { samples }]) => [reason, samples])),
    pending: spool.pending.samples,
    told,
    violations: server.violations,
    lastState,
  };
}

const times = (count: number, answer: ScriptedAnswer): ScriptedAnswer[] =>
  Array(count).fill(answer);

const backoffsMs = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];

describe("what passes by itself", () => {
  it.each<{ name: string; answer: ScriptedAnswer }>([
    { name: "a connection that breaks", answer: "reset" },
    { name: "408", answer: { status: 408 } },
    { name: "425", answer: { status: 425 } },
    ...[500, 502, 503, 504, 529, 599].map((status) => ({ name: `${status}`, answer: { status } })),
  ])(
    "is tried again, more and more seldom, and counted by Retry-Attempt: $name",
    async ({ answer }) => {
      for (const protocol of ["1", "2"] as const) {
        const sent = await send({ protocol, answers: times(9, answer) });
        expect(sent.waitsMs).toEqual(backoffsMs);
        expect(sent.requests.slice(0, 3)).toEqual([
          `${protocol}.0 4`,
          `${protocol}.0 4 retry 1`,
          `${protocol}.0 4 retry 2`,
        ]);
        expect(sent).toMatchObject({ delivered: 4, rejected: {}, told: [], violations: [] });
      }
    },
  );

  it("is tried again: no answer in time", async () => {
    const sent = await send({ answers: ["hang"], timeoutMs: 100 });
    expect(sent).toMatchObject({ waitsMs: [100], delivered: 4, rejected: {}, told: [] });
  });

  it("is never given up, even where the time is longer than any run", async () => {
    const sent = await send({ defaultAnswer: () => ({ status: 503 }), waitLimit: 300 });
    expect(sent).toMatchObject({ delivered: 0, pending: 4, rejected: {}, told: [] });
    expect(sent.lastState).toMatchObject({ kind: "retrying", sinceMs: startMs });
  });

  it.each([429, 500, 503])(
    "is tried again when Retry-After says, in seconds or as a date: %i",
    async (status) => {
      const date = new Date(startMs + 7_000 + 40_000).toUTCString();
      const sent = await send({
        answers: [
          { status, headers: { "Retry-After": "7" } },
          { status, headers: { "Retry-After": date } },
        ],
      });
      expect(sent).toMatchObject({ waitsMs: [7_000, 40_000], delivered: 4, rejected: {} });
    },
  );
});

describe("429", () => {
  it("is tried again after a second at least", async () => {
    const sent = await send({ answers: times(6, { status: 429 }) });
    expect(sent.waitsMs).toEqual([1_000, 1_000, 1_000, 1_000, 1_600, 3_200]);
    expect(sent).toMatchObject({ delivered: 4, rejected: {}, told: [] });
    // Below the floor nothing is cut.
    expect(sent.requests.every((request) => request.startsWith("1.0 4"))).toBe(true);
  });

  it.each(["1", "2"] as const)(
    "three times in a row cuts a large request, and no other (%s)",
    async (protocol) => {
      const burst = 600;
      const sent = await send({
        protocol,
        series: 1_000,
        batches: 3,
        // The first one comes into an overload.
        defaultAnswer: (request) =>
          request.series.length > burst && request.series[0]?.samples[0]?.timestampMs === startMs
            ? { status: 429 }
            : storedAnswer(request),
      });
      const whole = `${protocol}.0 1000`;
      const half = `${protocol}.0 500`;
      expect(sent.requests).toEqual([
        whole,
        `${whole} retry 1`,
        `${whole} retry 2`,
        half,
        half,
        whole,
        whole,
      ]);
      expect(sent).toMatchObject({ delivered: 3_000, rejected: {}, violations: [] });
    },
  );

  it("is waited for where it is not about the size", async () => {
    const sent = await send({
      series: 1_000,
      defaultAnswer: () => ({ status: 429 }),
      waitLimit: 60,
    });
    expect(sent).toMatchObject({ pending: 1_000, delivered: 0, rejected: {} });
    expect(sent.requests.at(-1)).toMatch(/^1.0 250 retry/);
  });
});

describe("413", () => {
  it.each(["1", "2"] as const)(
    "cuts the request, and those that follow before they are sent (%s)",
    async (protocol) => {
      const sent = await send({
        protocol,
        series: 100,
        batches: 2,
        defaultAnswer: (request) =>
          request.series.length > 30 ? { status: 413 } : storedAnswer(request),
      });
      const sizes = sent.requests.map((request) => Number(request.split(" ")[1]));
      expect(sizes.slice(0, 3)).toEqual([100, 50, 25]);
      // All that is refused, is refused once.
      expect(sizes.filter((size) => size > 30)).toEqual([100, 50]);
      expect(sent).toMatchObject({ delivered: 200, rejected: {}, waitsMs: [], violations: [] });
    },
  );

  it("costs a series that is too large alone, which is named", async () => {
    const sent = await send({
      defaultAnswer: (request) => (has(request, "2") ? { status: 413 } : storedAnswer(request)),
    });
    expect(sent).toMatchObject({ delivered: 3, rejected: { http_413: 1 }, violations: [] });
    expect(sent.told).toEqual(['lost http_413: HTTP 413; the series is g{n="2"}']);
  });
});

describe.each([400, 409])("%i", (status) => {
  /** As Prometheus: all or nothing in 1.0, what is good in 2.0. */
  const refuse =
    (...bad: readonly string[]) =>
    (request: ReceivedRequest): ScriptedAnswer => {
      const found = bad.filter((n) => has(request, n)).length;
      if (found === 0) return storedAnswer(request);
      const written = {
        "X-Prometheus-Remote-Write-Samples-Written": `${request.series.length - found}`,
      };
      return {
        status,
        body: "out of order sample\n",
        ...(request.protocol === "2" && { headers: written }),
      };
    };

  it("to 1.0 costs the bad series and no other, and names it", async () => {
    const sent = await send({ series: 2_000, defaultAnswer: refuse("1234") });
    expect(sent).toMatchObject({
      delivered: 1_999,
      rejected: { [`http_${status}`]: 1 },
      violations: [],
    });
    expect(sent.told).toEqual([
      `lost http_${status}: HTTP ${status}: out of order sample; the series is g{n="1234"}`,
    ]);
    expect(sent.requests).toHaveLength(1 + 2 * 11);
  });

  it("to 1.0 saves what it can of several bad series, within bounds", async () => {
    const bad = Array.from({ length: 40 }, (_, n) => String(n * 50));
    const sent = await send({ series: 2_000, defaultAnswer: refuse(...bad) });
    expect(sent.requests.length).toBeLessThanOrEqual(1 + 64);
    expect(sent.delivered).toBeGreaterThan(0);
    expect(sent.delivered + (sent.rejected[`http_${status}`] ?? 0)).toBe(2_000);
  });

  it("to 1.0 is not searched for long where nothing is ever good", async () => {
    const sent = await send({
      series: 500,
      batches: 20,
      defaultAnswer: () => ({ status, body: "out of bounds" }),
    });
    expect(sent.rejected).toEqual({ [`http_${status}`]: 10_000 });
    // 64, 32, 16, 8, 4 and then 2 requests beside the first.
    expect(sent.requests).toHaveLength(20 + 64 + 32 + 16 + 8 + 4 + 15 * 2);
  });

  it("to 2.0 is taken at its Written headers", async () => {
    const sent = await send({ protocol: "2", series: 2_000, defaultAnswer: refuse("7", "8") });
    expect(sent).toMatchObject({ delivered: 1_998, rejected: { [`http_${status}`]: 2 } });
    expect(sent.requests).toHaveLength(1);
  });

  it("to the first of what an earlier process left is under a reason of its own", async () => {
    const sent = await send({
      batches: 4,
      sender: { recoveredBatches: 3 },
      // All of the first batch; the second is taken, so that the third cannot have been sent before.
      defaultAnswer: (request) => {
        const n = (request.series[0]?.samples[0]?.timestampMs ?? NaN) - startMs;
        return n === 0 ? { status } : n === 2 ? refuse("0")(request) : storedAnswer(request);
      },
    });
    expect(sent.rejected).toEqual({ [`http_${status}_after_restart`]: 4, [`http_${status}`]: 1 });
    expect(sent.told[0]).toContain("of an earlier process, which probably had delivered them");
  });
});

describe("what a person must put right", () => {
  it.each([
    { status: 401, advice: "; the user name, password or token was refused" },
    { status: 403, advice: "; the user name, password or token was refused" },
    { status: 404, advice: "; nothing takes remote write at this path; for Prometheus" },
    { status: 405, advice: "; nothing takes remote write at this path; for Prometheus" },
    { status: 407, advice: "; the proxy wants a user name and a password" },
    { status: 410, advice: "; nothing takes remote write at this path; for Prometheus" },
    { status: 301, advice: ": a redirect without a target" },
    { status: 303, advice: ": a redirect without a target" },
  ])(
    "is waited for, half a minute at a time, and told once: $status",
    async ({ status, advice }) => {
      for (const protocol of ["1", "2"] as const) {
        const sent = await send({ protocol, batches: 2, answers: times(4, { status }) });
        expect(sent.waitsMs).toEqual(times4(30_000));
        expect(sent).toMatchObject({ delivered: 8, rejected: {}, violations: [] });
        expect(sent.told).toEqual([
          expect.stringContaining(`held http_${status}: HTTP ${status}${advice}`),
        ]);
      }
    },
  );

  it("is waited for: a web page with 200", async () => {
    const headers = { "Content-Type": "text/html" };
    const sent = await send({ answers: [{ status: 200, headers, body: "<h1>Sign in</h1>" }] });
    expect(sent).toMatchObject({ waitsMs: [30_000], delivered: 4, rejected: {} });
    expect(sent.told).toEqual([expect.stringContaining("a web page answers at this URL")]);
  });

  it.each([501, 505])("is waited for after five quick tries: %i", async (status) => {
    const sent = await send({ answers: times(7, { status }) });
    expect(sent.waitsMs).toEqual([100, 200, 400, 800, 1600, 30_000, 30_000]);
    expect(sent).toMatchObject({
      delivered: 4,
      rejected: {},
      told: [`held http_${status}: HTTP ${status}`],
    });
  });

  it.each([
    { reason: "tls", url: (it: string) => it.replace("http:", "https:") },
    { reason: "dns", url: () => "http://receiver.invalid/api/v1/write" },
  ])("is waited for after five quick tries: $reason", async ({ reason, url }) => {
    const sent = await send({ url, waitLimit: 7 });
    expect(sent.waitsMs).toEqual([100, 200, 400, 800, 1600, 30_000, 30_000]);
    expect(sent).toMatchObject({ pending: 4, delivered: 0, rejected: {} });
    expect(sent.told).toEqual([expect.stringContaining(`held ${reason}: `)]);
    expect(sent.lastState).toMatchObject({ kind: "held", sinceMs: startMs, reason });
  });
});

it("is waited for after five quick tries, and told: no credentials to send", async () => {
  const sent = await send({ auth: tokenAuth("Bearer", fixedText("two\nlines")), waitLimit: 7 });
  expect(sent.waitsMs).toEqual([100, 200, 400, 800, 1600, 30_000, 30_000]);
  expect(sent).toMatchObject({ pending: 4, delivered: 0, rejected: {} });
  expect(sent.told).toEqual([
    expect.stringMatching(/^held credentials_refused: the token cannot.*; put the credentials/),
  ]);
});

describe("401 and 403", () => {
  it.each([401, 403])("are tried again at once with other credentials: %i", async (status) => {
    const sent = await send({
      answers: [{ status }],
      refreshCredentials: () => Promise.resolve(true),
    });
    expect(sent).toMatchObject({ waitsMs: [], delivered: 4, told: [] });
  });

  it("are waited for where the other credentials are refused, too, and these are asked for each time", async () => {
    let asked = 0;
    const refreshCredentials = () => {
      asked += 1;
      return Promise.resolve(true);
    };
    const sent = await send({ answers: times(5, { status: 401 }), refreshCredentials });
    expect(sent).toMatchObject({ waitsMs: [30_000, 30_000], delivered: 4 });
    expect(asked).toBe(3);
  });

  it("are waited for where there are no other credentials", async () => {
    const refreshCredentials = () => Promise.resolve(false);
    const sent = await send({ answers: [{ status: 401 }], refreshCredentials });
    expect(sent).toMatchObject({ waitsMs: [30_000], delivered: 4 });
  });
});

describe("the rest", () => {
  it.each([402, 412, 422, 451])("is counted, and not sent again: %i", async (status) => {
    const sent = await send({ batches: 2, answers: [{ status, body: "no" }] });
    expect(sent).toMatchObject({ waitsMs: [], delivered: 4, rejected: { [`http_${status}`]: 4 } });
    expect(sent.requests).toHaveLength(2);
    expect(sent.told).toEqual([`lost http_${status}: HTTP ${status}: no`]);
  });

  it("is success: 202, of a replica that another one stands in for", async () => {
    const sent = await send({ answers: [{ status: 202, body: "replicas did not match" }] });
    expect(sent).toMatchObject({ delivered: 4, rejected: {}, requests: ["1.0 4"] });
  });

  it.each<{ name: string; answer: ScriptedAnswer }>([
    { name: "415", answer: { status: 415 } },
    { name: "2xx without Written headers", answer: { status: 204 } },
  ])("is sent as 1.0: 2.0 answered by $name", async ({ answer }) => {
    const sent = await send({ protocol: "2", batches: 2, answers: [answer] });
    expect(sent.requests).toEqual(["2.0 4", "1.0 4", "1.0 4"]);
    expect(sent).toMatchObject({ delivered: 8, rejected: {}, violations: [] });
  });

  it.each<{ name: string; answer: ScriptedAnswer }>([
    { name: "415", answer: { status: 415 } },
    { name: "an ingress' default backend", answer: { status: 200, body: "ok" } },
  ])("is waited for where 2.0 was confirmed before: $name", async ({ answer }) => {
    let requests = 0;
    const sent = await send({
      protocol: "2",
      batches: 3,
      // Only 2.0 is stored by this one.
      defaultAnswer: (request) => {
        requests += 1;
        if (requests === 2 || requests === 3) return answer;
        return request.protocol === "2" ? storedAnswer(request) : { status: 415 };
      },
    });
    expect(sent.requests).toEqual(["2.0 4", "2.0 4", "2.0 4 retry 1", "2.0 4 retry 2", "2.0 4"]);
    expect(sent).toMatchObject({ waitsMs: [30_000, 30_000], delivered: 12, rejected: {} });
    expect(sent.told).toEqual([expect.stringContaining("held http_")]);
  });

  it("is waited for: 1.0 answered by 415", async () => {
    const sent = await send({ answers: times(2, { status: 415 }) });
    expect(sent).toMatchObject({ waitsMs: [30_000, 30_000], delivered: 4, rejected: {} });
    expect(sent.told).toEqual([
      "held http_415: HTTP 415: the receiver does not take remote write 1.0",
    ]);
  });

  it("is sent as 1.0 in parts, where both are news", async () => {
    const sent = await send({
      protocol: "2",
      series: 100,
      defaultAnswer: ({ protocol, series }) => ({
        status: series.length > 60 ? 413 : protocol === "2" ? 415 : 204,
      }),
    });
    expect(sent.requests).toEqual(["2.0 100", "2.0 50", "1.0 50", "1.0 50"]);
    expect(sent).toMatchObject({ delivered: 100, rejected: {}, violations: [] });
  });
});

describe("the age limit", () => {
  it("drops and counts what has become too old while the receiver was away", async () => {
    const sent = await send({
      batches: 2,
      defaultAnswer: (request) =>
        request.series[0]?.samples[0]?.timestampMs === startMs
          ? { status: 503 }
          : storedAnswer(request),
      // Reached by the first batch at the ninth wait, a millisecond before the second one.
      sender: { sampleAgeLimitMs: backoffsMs.reduce((sum, waitMs) => sum + waitMs, 0) - 1 },
    });
    expect(sent.waitsMs).toEqual(backoffsMs);
    expect(sent).toMatchObject({ delivered: 4, rejected: { too_old: 4 } });
    expect(sent.told).toEqual([
      "lost too_old: older than --remote-write-sample-age-limit before the receiver took them",
    ]);
  });

  it("bounds what is held, too", async () => {
    const sent = await send({
      defaultAnswer: () => ({ status: 401 }),
      sender: { sampleAgeLimitMs: 100_000 },
    });
    expect(sent).toMatchObject({ waitsMs: times4(30_000), rejected: { too_old: 4 }, pending: 0 });
  });
});

const times4 = (waitMs: number): number[] => Array(4).fill(waitMs);

function has({ series }: ReceivedRequest, n: string): boolean {
  return series.some(({ labels }) => labels.some(({ name, value }) => name === "n" && value === n));
}
