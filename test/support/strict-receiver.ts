/**
 * A model of the strictest receiver: which MUSTs of remote write a request breaks, given what is stored.
 *
 * Source: Remote-Write 1.0 and 2.0, "Protocol", "Labels", "Symbols", "Samples and Histogram Samples",
 * "Ordering"; an identical repetition of a series' newest point is accepted, as all receivers do.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import type { DecodedRequest, DecodedSeries } from "./decode-write-request.ts";

const exactHeaders: Readonly<Record<RemoteWriteProtocol, Readonly<Record<string, string>>>> = {
  "1": {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf",
    "x-prometheus-remote-write-version": "0.1.0",
  },
  "2": {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "x-prometheus-remote-write-version": "2.0.0",
  },
};

/** One line per broken rule. */
export function checkHeaders(
  protocol: RemoteWriteProtocol,
  headers: IncomingHttpHeaders,
  bodyBytes: number,
): string[] {
  const violations = Object.entries(exactHeaders[protocol])
    .filter(([name, value]) => headers[name] !== value)
    .map(([name, value]) => `${name} is ${JSON.stringify(headers[name])}, expected ${value}`);
  if (!/^[^\s/]+\/\S+$/.test(headers["user-agent"] ?? "")) {
    violations.push(`user-agent is ${headers["user-agent"]}, expected a name and a version`);
  }
  if (headers["content-length"] !== String(bodyBytes)) {
    violations.push(`content-length is ${headers["content-length"]}, expected ${bodyBytes}`);
  }
  return violations;
}

export class StrictReceiver {
  /** By series: its newest point. */
  #stored = new Map<string, { readonly timestampMs: number; readonly content: string }>();

  /**
   * One line per broken rule.
   *
   * @param isStored Whether the request is answered with 2xx; of any other nothing is remembered.
   */
  check(protocol: RemoteWriteProtocol, request: DecodedRequest, isStored: boolean): string[] {
    const violations = protocol === "2" ? checkSymbols(request.symbols) : [];
    const newest = new Map(this.#stored);
    for (const series of request.series) {
      const key = JSON.stringify(series.labels);
      violations.push(
        ...checkLabels(series).map((violation) => `${violation} in ${key}`),
        ...checkKinds(protocol, series).map((violation) => `${violation} in ${key}`),
      );
      for (const point of [...series.samples, ...series.histograms]) {
        const { timestampMs } = point;
        const content = JSON.stringify(point);
        const last = newest.get(key);
        if (last !== undefined && timestampMs < last.timestampMs) {
          violations.push(`timestamp ${timestampMs} is before ${last.timestampMs} in ${key}`);
        } else if (timestampMs === last?.timestampMs && content !== last.content) {
          violations.push(`timestamp ${timestampMs} has two values in ${key}`);
        } else {
          newest.set(key, { timestampMs, content });
        }
      }
    }
    if (isStored) this.#stored = newest;
    return violations;
  }
}

function checkSymbols(symbols: readonly string[]): string[] {
  const violations: string[] = [];
  if (symbols[0] !== "") violations.push("the first symbol is not the empty string");
  if (new Set(symbols).size !== symbols.length) violations.push("a symbol is there twice");
  return violations;
}

function checkLabels({ labels }: DecodedSeries): string[] {
  const violations: string[] = [];
  for (const [index, { name, value }] of labels.entries()) {
    const previous = labels[index - 1]?.name;
    const order =
      previous === undefined ? -1 : Buffer.compare(Buffer.from(previous), Buffer.from(name));
    if (order === 0) violations.push(`label ${name} is there twice`);
    if (order > 0) violations.push(`label ${name} is not sorted`);
    if (value === "") violations.push(`label ${name} is empty`);
    const allowed = name === "__name__" ? /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ : /^[a-zA-Z_][a-zA-Z0-9_]*$/;
    const checked = name === "__name__" ? value : name;
    if (!allowed.test(checked)) violations.push(`${JSON.stringify(checked)} is not a valid name`);
  }
  if (!labels.some(({ name }) => name === "__name__")) violations.push("there is no __name__");
  return violations;
}

function checkKinds(protocol: RemoteWriteProtocol, series: DecodedSeries): string[] {
  const hasSamples = series.samples.length > 0;
  const hasHistograms = series.histograms.length > 0;
  if (!hasSamples && !hasHistograms) return ["there is no point"];
  if (hasSamples && hasHistograms && protocol === "2") return ["there are samples and histograms"];
  return [];
}
