/**
 * Reads k6's JSON lines (`--out json`) from bytes.
 *
 * In:  chunks of a file, a pipe or a FIFO, cut anywhere.
 * Out: samples to a `SampleSink`; lines that cannot be used are counted there and told to `onProblem`.
 *
 * The hot path never makes a string: a `Point` line (point-line.ts) is recognised by its bytes (spelling-table.ts), and
 * only its time and its value are read. A line of any other shape, and the first of each spelling, goes through
 * `JSON.parse` and a check of every field.
 *
 * Source: k6 `internal/output/json/json.go`, `wrapper.go` (v2.2.0), and the same of v1.8.1.
 */
import { isUtf8 } from "node:buffer";
import { ByteView } from "./byte-view.ts";
import { builtinMetrics } from "./builtin-metrics.ts";
import { JsonNumberParser } from "./json-number.ts";
import { type Metric, type MetricType, metricTypes, type ValueKind, valueKinds } from "./metric.ts";
import { beforeValue, endOfHead, endOfTags, isClosed, startsWith, viewOf } from "./point-line.ts";
import { Rfc3339Parser } from "./rfc3339.ts";
import { createSampleBlock, type DropReason, type SampleSink } from "./sample.ts";
import { SpellingTable } from "./spelling-table.ts";

/** A line longer than this is not one of k6's: its tags alone would exceed what any store takes. */
const lineLimitBytes = 1 << 20;

/** Samples that are handed over together; those of a chunk always are at its end. */
const blockLength = 512;

/** A script makes its metrics when it starts; one that goes on making them would fill the memory. */
const metricLimit = 10_000;

/** A line that could not be used, or not as it is. */
export interface LineProblem {
  /** Counted from 1. */
  readonly line: number;
  /** Why the line's sample is dropped; absent when the line is only worth a word. */
  readonly dropped?: DropReason;
  /** What is wrong, for a person; quotes at most 80 characters of the line. */
  readonly text: string;
}

export interface JsonLinesOptions {
  /** Called for each problem; the caller decides how many to show. */
  readonly onProblem?: (problem: LineProblem) => void;
}

export class JsonLinesReader {
  readonly #sink: SampleSink;
  readonly #options: JsonLinesOptions;
  readonly #times = new Rfc3339Parser();
  readonly #numbers = new JsonNumberParser();
  readonly #block = createSampleBlock(blockLength);
  #blockCount = 0;
  readonly #spellings = new SpellingTable();
  readonly #metrics = new Map<string, Metric>();
  /** The last recognised spelling, or -1. */
  #previous = -1;
  #hasMetadata = false;
  /** The start of a line whose end has not come yet. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #isSkipping = false;
  #line = 0;

  constructor(sink: SampleSink, options: JsonLinesOptions = {}) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Lines seen so far, the unfinished one not counted. */
  get lines(): number {
    return this.#line;
  }

  /** Reads a chunk. The chunk is not kept: its buffer may be used again. */
  write(chunk: Buffer): void {
    let start = 0;
    if (this.#restLength > 0 || this.#isSkipping) {
      const end = chunk.indexOf(0x0a);
      this.#keep(chunk, 0, end < 0 ? chunk.length : end);
      if (end < 0) return;
      this.#finishRest();
      start = end + 1;
    }
    const view = new ByteView(chunk);
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end < 0) break;
      this.#line++;
      // A carriage return before the newline is of an editor or of Windows.
      const lineEnd = end > start && chunk[end - 1] === 0x0d ? end - 1 : end;
      if (!this.#readPoint(view, start, lineEnd)) this.#readAny(chunk.subarray(start, lineEnd));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length);
    this.#handOver();
  }

  /** Ends the stream. A last line without its newline is used if it is whole, and reported if it is cut. */
  end(): void {
    this.#end();
    this.#handOver();
  }

  #end(): void {
    if (this.#restLength === 0 && !this.#isSkipping) return;
    const rest = Buffer.concat(this.#rest);
    if (!this.#isSkipping && !isJson(rest)) {
      this.#line++;
      this.#rest = [];
      this.#restLength = 0;
      this.#drop(
        "malformed_line",
        `the last line is cut off after ${rest.length} bytes: ${quote(rest)}`,
      );
      return;
    }
    this.#finishRest();
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#isSkipping) return;
    if (this.#restLength + end - start > lineLimitBytes) {
      this.#isSkipping = true;
      this.#rest = [];
      this.#restLength = 0;
      return;
    }
    this.#rest.push(Buffer.from(chunk.subarray(start, end)));
    this.#restLength += end - start;
  }

  #finishRest(): void {
    this.#line++;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      this.#dropLongLine();
      return;
    }
    const bytes = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restLength = 0;
    const line = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
    if (!this.#readPoint(new ByteView(line), 0, line.length)) this.#readAny(line);
  }

  /** Reads a `Point` of a known spelling. False if the line is anything else; then nothing has happened. */
  #readPoint(view: ByteView, start: number, end: number): boolean {
    const spellings = this.#spellings;
    const guess = this.#previous < 0 ? -1 : spellings.successor(this.#previous);
    const isGuessedHead = guess >= 0 && spellings.hasHead(guess, view, start);
    const headEnd = isGuessedHead
      ? start + spellings.headLength(guess)
      : endOfHead(view, start, end);
    if (headEnd < 0) return false;
    const block = this.#block;
    const at = this.#blockCount;
    if (!this.#times.parseInto(view, headEnd, block.timestampsMs, at)) return false;
    const timeEnd = this.#times.endOffset;
    if (!startsWith(view, timeEnd, beforeValue)) return false;
    const valueStart = timeEnd + beforeValue.bytes.length;
    if (!this.#numbers.parseInto(view.bytes, valueStart, block.values, at)) return false;
    const tagsStart = this.#numbers.endOffset;
    if (tagsStart >= end) return false;
    let spelling = guess;
    if (
      !isGuessedHead ||
      !spellings.hasTags(guess, view, tagsStart) ||
      !isClosed(view, tagsStart + spellings.tagsLength(guess), end)
    ) {
      spelling = this.#findSpelling(view, start, headEnd, tagsStart, end);
      if (spelling < 0) return false;
      if (this.#previous >= 0) spellings.setSuccessor(this.#previous, spelling);
    }
    this.#previous = spelling;
    block.seriesIds[at] = spellings.seriesId(spelling);
    this.#blockCount = at + 1;
    if (this.#blockCount === blockLength) this.#handOver();
    return true;
  }

  /** Hands over the samples that were read, in order, before anything else is told to the sink. */
  #handOver(): void {
    const count = this.#blockCount;
    if (count === 0) return;
    this.#blockCount = 0;
    const { seriesIds, timestampsMs, values } = this.#block;
    if (this.#sink.sampleBlock) {
      this.#sink.sampleBlock(this.#block, count);
      return;
    }
    for (let i = 0; i < count; i++) {
      this.#sink.sample(seriesIds[i] ?? 0, timestampsMs[i] ?? 0, values[i] ?? 0);
    }
  }

  #findSpelling(
    view: ByteView,
    start: number,
    headEnd: number,
    tagsStart: number,
    end: number,
  ): number {
    // Most lines end with the tags, so they need not be searched for their end.
    let tagsEnd = end - 2;
    if (this.#hasMetadata || !isClosed(view, tagsEnd, end))
      tagsEnd = endOfTags(view, tagsStart, end);
    if (tagsEnd < 0 || !isClosed(view, tagsEnd, end)) return -1;
    return this.#spellings.find(view, start, headEnd, tagsStart, tagsEnd);
  }

  /** Reads a line of any shape, slowly and with every field checked. */
  #readAny(line: Buffer): void {
    this.#handOver();
    if (line.length > lineLimitBytes) {
      this.#dropLongLine();
      return;
    }
    const text = line.toString("utf8");
    if (text.trim() === "") return;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      // k6 v1 writes the infinities of a custom metric as they print, which is not JSON.
      const isInfinite = /"value":[+-]?(?:Inf|NaN)/.test(text);
      if (isInfinite) this.#drop("not_finite", `the value is not a finite number: ${quote(line)}`);
      else this.#drop("malformed_line", `the line is not JSON: ${quote(line)}`);
      return;
    }
    const type = field(parsed, "type");
    const data = field(parsed, "data");
    const name = field(parsed, "metric");
    if (typeof name !== "string" || name === "") {
      this.#drop("malformed_line", `"metric" is not a name: ${quote(line)}`);
    } else if (type === "Metric") {
      this.#declare(name, data, line);
    } else if (type === "Point") {
      this.#readParsedPoint(name, data, line);
    } else {
      this.#drop("malformed_line", `"type" is neither "Metric" nor "Point": ${quote(line)}`);
    }
  }

  #declare(name: string, data: unknown, line: Buffer): void {
    const type = field(data, "type");
    const contains = field(data, "contains");
    if (!isMetricType(type) || !isValueKind(contains)) {
      this.#tell(
        `the declaration of metric ${JSON.stringify(name)} is not understood: ${quote(line)}`,
      );
      return;
    }
    const known = this.#metrics.get(name);
    if (known) {
      if (known.type === type && known.contains === contains) return;
      this.#tell(
        `metric ${JSON.stringify(name)} is declared again as ${type} (${contains}); ` +
          `it stays a ${known.type} (${known.contains})`,
      );
      return;
    }
    // Told when a sample of it is dropped.
    if (this.#metrics.size < metricLimit) this.#metrics.set(name, { name, type, contains });
  }

  #readParsedPoint(name: string, data: unknown, line: Buffer): void {
    const value = field(data, "value");
    const time = field(data, "time");
    const tags = toTags(field(data, "tags"));
    if (typeof value !== "number") {
      this.#drop("malformed_line", `"value" is not a number: ${quote(line)}`);
      return;
    }
    const timestampMs = typeof time === "string" ? this.#times.parse(viewOf(time), 0) : NaN;
    if (Number.isNaN(timestampMs)) {
      this.#drop("malformed_line", `"time" is not an RFC 3339 time: ${quote(line)}`);
      return;
    }
    if (!tags) {
      this.#drop("malformed_line", `"tags" is not an object of strings: ${quote(line)}`);
      return;
    }
    let metric = this.#metrics.get(name);
    if (!metric) {
      const builtin = builtinMetrics.get(name);
      if (!builtin && this.#metrics.size >= metricLimit) {
        this.#drop(
          "too_many_metrics",
          `metric ${JSON.stringify(name)} is beyond the first ${metricLimit} metrics`,
        );
        return;
      }
      if (!builtin) {
        this.#drop(
          "unknown_metric",
          `metric ${JSON.stringify(name)} was not declared before its first sample, so its type is not known`,
        );
        return;
      }
      metric = builtin;
      this.#metrics.set(name, metric);
    }
    if (!isUtf8(line)) this.#tell(`bytes that are not UTF-8 became U+FFFD: ${quote(line)}`);
    const seriesId = this.#sink.series(metric, tags);
    this.#remember(line, seriesId);
    this.#sink.sample(seriesId, timestampMs, value);
  }

  /** Learns the spelling of a line that `JSON.parse` understood, if it has the usual shape. */
  #remember(line: Buffer, seriesId: number): void {
    const view = new ByteView(line);
    const end = line.length;
    const headEnd = endOfHead(view, 0, end);
    if (headEnd < 0 || Number.isNaN(this.#times.parse(view, headEnd))) return;
    const timeEnd = this.#times.endOffset;
    if (!startsWith(view, timeEnd, beforeValue)) return;
    if (Number.isNaN(this.#numbers.parse(line, timeEnd + beforeValue.bytes.length))) return;
    const tagsStart = this.#numbers.endOffset;
    const tagsEnd = endOfTags(view, tagsStart, end);
    if (tagsEnd < 0 || !isClosed(view, tagsEnd, end)) return;
    if (tagsEnd !== end - 2) this.#hasMetadata = true;
    const spellings = this.#spellings;
    let spelling = spellings.find(view, 0, headEnd, tagsStart, tagsEnd);
    if (spelling < 0) {
      const before = spellings.size;
      spelling = spellings.add(view, 0, headEnd, tagsStart, tagsEnd, seriesId, this.#previous);
      // The table has started over: the previous spelling is another one, or none.
      if (spellings.size < before) this.#previous = -1;
    }
    if (this.#previous >= 0) spellings.setSuccessor(this.#previous, spelling);
    this.#previous = spelling;
  }

  #dropLongLine(): void {
    this.#drop("malformed_line", `the line is longer than ${lineLimitBytes} bytes`);
  }

  #drop(reason: DropReason, text: string): void {
    this.#sink.dropped(reason);
    this.#options.onProblem?.({ line: this.#line, dropped: reason, text });
  }

  #tell(text: string): void {
    this.#options.onProblem?.({ line: this.#line, text });
  }
}

function field(value: unknown, name: string): unknown {
  // The cast is true for every object; the result is checked by each caller.
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Tags as a map; a missing or null tag set is empty; undefined if any value is not a string. */
function toTags(value: unknown): Map<string, string> | undefined {
  if (value === null || value === undefined) return new Map();
  if (typeof value !== "object" || Array.isArray(value)) return undefined;
  const tags = new Map<string, string>();
  for (const [name, tag] of Object.entries(value)) {
    if (typeof tag !== "string") return undefined;
    tags.set(name, tag);
  }
  return tags;
}

function isMetricType(value: unknown): value is MetricType {
  return metricTypes.some((type) => type === value);
}

function isValueKind(value: unknown): value is ValueKind {
  return valueKinds.some((kind) => kind === value);
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString("utf8"));
    return true;
  } catch {
    // Being cut off is what the caller asks about.
    return false;
  }
}

function quote(line: Buffer): string {
  const text = line.toString("utf8", 0, 80);
  return JSON.stringify(line.length > 80 ? `${text}…` : text);
}
