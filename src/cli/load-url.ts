/**
 * Load of a URL: autocannon, for when there is no k6 at hand.
 */
import { parseDurationMs } from "../config/duration.ts";
import { type ConfigProblem, ConfigError, UsageError } from "../errors.ts";
import { type AutocannonOptions, loadMethods, runAutocannon } from "../generate/autocannon.ts";
import { defaultExpectStatus, parseExpectStatus } from "../generate/expect-status.ts";
import type { Load } from "./load.ts";

/** The flags as they were written. */
export interface UrlLoadFlags {
  readonly vus?: string;
  readonly duration?: string;
  readonly rate?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly body?: string;
  readonly expectStatus?: string;
}

const defaultVus = "10";
const defaultMethod = "GET";
const defaultDuration = "10s";

/** @throws ConfigError with every flag that cannot be used */
export function prepareUrlLoad(url: string, flags: UrlLoadFlags): Load {
  const options = parseFlags(url, flags);
  const controller = new AbortController();
  return {
    generator: "autocannon",
    async run({ sink, signal, onLoadOver }) {
      const result = await runAutocannon(
        { ...options, signal: AbortSignal.any([signal, controller.signal]) },
        sink,
      );
      onLoadOver();
      return {
        state: signal.aborted ? "aborted_by_user" : "finished",
        thresholds: [],
        exitCode: undefined,
        counts: [
          { metric: "http_reqs", stat: "count", value: result.requests },
          { metric: "http_req_failed", stat: "nonzero", value: result.failed },
        ],
      };
    },
    kill: () => controller.abort(),
  };
}

function parseFlags(url: string, flags: UrlLoadFlags): Omit<AutocannonOptions, "signal"> {
  const problems: ConfigProblem[] = [];
  const parse = <Value>(option: string, parser: () => Value): Value | undefined => {
    try {
      return parser();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push({ option, message: error.message, source: "flags" });
      return undefined;
    }
  };
  const { rate } = flags;
  const parsed = {
    url: parse("<url>", () => parseUrl(url)),
    vus: parse("--vus", () => parseCount(flags.vus ?? defaultVus)),
    durationMs: parse("--duration", () => parseDurationMs(flags.duration ?? defaultDuration)),
    rate: rate === undefined ? undefined : parse("--rate", () => parseCount(rate)),
    method: parse("--method", () => parseMethod(flags.method ?? defaultMethod)),
    headers: parse("--header", () => parseHeaders(flags.header ?? [])),
    expectStatus: parse("--expect-status", () =>
      parseExpectStatus(flags.expectStatus ?? defaultExpectStatus),
    ),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    // Each is undefined only where there is a problem.
    ...(parsed as Omit<AutocannonOptions, "signal" | "body">),
    body: flags.body,
  };
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${JSON.stringify(text)} is not a URL`);
  return new URL(text);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count)) {
    throw new UsageError(`${JSON.stringify(text)} is not a whole number from 1 upwards`);
  }
  return count;
}

function parseMethod(text: string): string {
  const method = text.toUpperCase();
  if (!loadMethods.some((known) => known === method)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not a method that a URL can be loaded with: ` +
        `expected one of ${loadMethods.join(", ")}`,
    );
  }
  return method;
}

function parseHeaders(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text, index) => {
      const at = text.indexOf(":");
      // The text may be a secret that lost its name.
      if (at < 1) {
        throw new UsageError(`header ${index + 1} has no name: expected one such as "Accept: */*"`);
      }
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );
}
