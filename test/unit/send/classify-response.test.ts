import { assert, constantFrom, integer, nat, property, record, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyResponse, type ReceiverAnswer } from "../../../src/send/classify-response.ts";

const nowMs = 1_700_000_000_000;
const sent1 = { protocol: "1", samples: 10, histograms: 4 } as const;
const sent2 = { protocol: "2", samples: 10, histograms: 4 } as const;

const answerOf = (answer: Partial<ReceiverAnswer>): ReceiverAnswer => ({
  status: 204,
  headers: {},
  body: "",
  ...answer,
});

const written = (samples: string, histograms: string) => ({
  "x-prometheus-remote-write-samples-written": samples,
  "x-prometheus-remote-write-histograms-written": histograms,
});

describe("remote write 1.0", () => {
  it.each([200, 202, 204])("takes %i for stored", (status) => {
    expect(classifyResponse(answerOf({ status }), sent1, nowMs)).toEqual({
      kind: "sent",
      samplesWritten: 10,
      histogramsWritten: 4,
    });
  });

  it("draws no conclusion from Written headers", () => {
    const answer = answerOf({ headers: written("0", "0") });
    expect(classifyResponse(answer, sent1, nowMs)).toMatchObject({ samplesWritten: 10 });
  });

  it.each([400, 402, 406, 409, 411, 412, 422, 431, 451, 499])(
    "gives up after %i, with everything lost",
    (status) => {
      const answer = answerOf({
        status,
        body: " out of\norder sample\n",
        headers: written("9", "9"),
      });
      expect(classifyResponse(answer, sent1, nowMs)).toEqual({
        kind: "rejected",
        reason: `http_${status}`,
        text: `HTTP ${status}: out of order sample`,
        samplesWritten: 0,
        histogramsWritten: 0,
      });
    },
  );
});

it("takes 415 to 1.0 for no matter of the points", () => {
  expect(classifyResponse(answerOf({ status: 415, body: "no" }), sent1, nowMs)).toEqual({
    kind: "held",
    reason: "http_415",
    text: "HTTP 415: no: the receiver does not take remote write 1.0",
  });
});

describe("remote write 2.0", () => {
  it("counts what the Written headers say", () => {
    expect(classifyResponse(answerOf({ headers: written("10", "3") }), sent2, nowMs)).toEqual({
      kind: "sent",
      samplesWritten: 10,
      histogramsWritten: 3,
    });
  });

  it("takes a missing Written header for 0 beside another", () => {
    const headers = { "x-prometheus-remote-write-samples-written": "10" };
    expect(classifyResponse(answerOf({ headers }), sent2, nowMs)).toEqual({
      kind: "sent",
      samplesWritten: 10,
      histogramsWritten: 0,
    });
  });

  it("takes zeros for stored: some receivers count wrongly, and resending loops", () => {
    const answer = answerOf({ headers: written("0", "0") });
    expect(classifyResponse(answer, sent2, nowMs).kind).toBe("sent");
  });

  it("takes 2xx without Written headers for a receiver of 1.0 that stored nothing", () => {
    expect(classifyResponse(answerOf({}), sent2, nowMs)).toEqual({
      kind: "unsupported",
      text: "HTTP 204 without Written headers: the receiver does not know remote write 2.0",
    });
  });

  it("takes 415 for a receiver of 1.0", () => {
    const answer = answerOf({ status: 415, body: "unknown message" });
    expect(classifyResponse(answer, sent2, nowMs)).toEqual({
      kind: "unsupported",
      text: "HTTP 415: unknown message",
    });
  });

  it("is not doubted once it was confirmed: what answers so is somebody else", () => {
    const ok = answerOf({ status: 200, body: "ok" });
    expect(classifyResponse(ok, sent2, nowMs, true)).toEqual({
      kind: "held",
      reason: "http_200",
      text: "HTTP 200: ok without Written headers: what answers at this URL is not the receiver that took remote write 2.0 before, so nothing was stored",
    });
    expect(classifyResponse(answerOf({ status: 415 }), sent2, nowMs, true)).toEqual({
      kind: "held",
      reason: "http_415",
      text: "HTTP 415: the receiver does not take remote write 2.0 any more",
    });
  });

  it("counts what a 400 stored all the same", () => {
    const answer = answerOf({ status: 400, body: "duplicate sample", headers: written("9", "") });
    expect(classifyResponse(answer, sent2, nowMs)).toEqual({
      kind: "rejected",
      reason: "http_400",
      text: "HTTP 400: duplicate sample",
      samplesWritten: 9,
      histogramsWritten: 0,
    });
  });
});

describe("either protocol", () => {
  it.each([408, 425, 429, 500, 501, 502, 503, 504, 505, 529, 599])(
    "tries again after %i",
    (status) => {
      for (const sent of [sent1, sent2]) {
        const answer = answerOf({ status, body: "busy", headers: written("10", "4") });
        expect(classifyResponse(answer, sent, nowMs)).toEqual({
          kind: "retry",
          reason: `http_${status}`,
          text: `HTTP ${status}: busy`,
        });
      }
    },
  );

  it.each([429, 500, 503])("passes on what Retry-After asks for with %i", (status) => {
    const answer = answerOf({ status, headers: { "retry-after": "7" } });
    expect(classifyResponse(answer, sent1, nowMs)).toMatchObject({ retryAfterMs: 7000 });
  });

  it.each([
    { location: "/login?next=secret", target: 'a redirect to "/login"' },
    {
      location: "https://u:secret@prom.test/api?token=secret",
      target: 'a redirect to "https://prom.test/api"',
    },
    { location: undefined, target: "a redirect without a target" },
    { location: "http://[", target: "a redirect to something that is not a URL" },
  ])("calls a redirect to $location a configuration error", ({ location, target }) => {
    for (const status of [301, 302, 303, 304, 307, 308]) {
      const outcome = classifyResponse(answerOf({ status, headers: { location } }), sent2, nowMs);
      expect(outcome).toEqual({
        kind: "held",
        reason: `http_${status}`,
        text: `HTTP ${status}: ${target}; this is a configuration error, set the URL to the receiver itself`,
      });
    }
  });

  it.each([401, 403, 404, 405, 407, 410])("takes %i for no matter of the points", (status) => {
    for (const sent of [sent1, sent2]) {
      const outcome = classifyResponse(answerOf({ status, body: "no" }), sent, nowMs);
      expect(outcome).toEqual({
        kind: "held",
        reason: `http_${status}`,
        text: `HTTP ${status}: no`,
      });
    }
  });

  it("takes 413 for too much at once", () => {
    for (const sent of [sent1, sent2]) {
      const outcome = classifyResponse(answerOf({ status: 413 }), sent, nowMs);
      expect(outcome).toEqual({ kind: "too_large", reason: "http_413", text: "HTTP 413" });
    }
  });

  it("does not take a web page for a receiver", () => {
    const headers = { "content-type": "text/html; charset=utf-8", ...written("10", "4") };
    const answer = answerOf({ status: 200, headers, body: "<html>Sign in</html>" });
    for (const sent of [sent1, sent2]) {
      expect(classifyResponse(answer, sent, nowMs)).toEqual({
        kind: "held",
        reason: "html_answer",
        text: "HTTP 200 with an HTML page: a web page answers at this URL (a login page or a wrong path?), so nothing was stored",
      });
    }
  });

  it("shows no markup and no control characters", () => {
    const page = answerOf({ status: 502, headers: { "content-type": "text/html" }, body: "<h1>" });
    expect(classifyResponse(page, sent1, nowMs)).toMatchObject({
      text: "HTTP 502 with an HTML page",
    });
    const escape = answerOf({ status: 400, body: "a\u001B[2Jb" });
    expect(classifyResponse(escape, sent1, nowMs)).toMatchObject({ text: "HTTP 400: a [2Jb" });
  });
});

it("never reports more written than was sent, nor less than nothing, whatever the answer", () => {
  const answer = record({
    status: integer({ min: 200, max: 599 }),
    headers: record({
      "x-prometheus-remote-write-samples-written": string(),
      "x-prometheus-remote-write-histograms-written": nat().map(String),
      "retry-after": string(),
      "content-type": constantFrom("text/plain", "text/html", ""),
    }),
    body: string(),
  });
  const sent = record({
    protocol: constantFrom("1" as const, "2" as const),
    samples: nat(),
    histograms: nat(),
  });
  assert(
    property(answer, sent, (answer, sent) => {
      const outcome = classifyResponse(answer, sent, nowMs);
      if (outcome.kind !== "sent" && outcome.kind !== "rejected") return;
      expect(outcome.samplesWritten).toBeGreaterThanOrEqual(0);
      expect(outcome.samplesWritten).toBeLessThanOrEqual(sent.samples);
      expect(outcome.histogramsWritten).toBeGreaterThanOrEqual(0);
      expect(outcome.histogramsWritten).toBeLessThanOrEqual(sent.histograms);
    }),
  );
});
