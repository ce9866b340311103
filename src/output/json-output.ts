/**
 * `--out json=FILE`: samples as k6's JSON lines, for load that k6 did not make. Gzip where the name ends in `.gz`.
 *
 * Source: k6 `internal/output/json/wrapper.go`; times have millisecond resolution here.
 */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { PassThrough, type Writable } from "node:stream";
import { createGzip } from "node:zlib";
import { InputError, messageOf } from "../errors.ts";
import type { Metric } from "../sample/metric.ts";
import type { SampleSink, Tags } from "../sample/sample.ts";
import type { Output } from "./output.ts";

/** Lines are collected up to this size before they are written. */
const flushLength = 1 << 16;

export class JsonOutput implements Output, SampleSink {
  readonly name = "json";
  readonly sink: SampleSink = this;
  readonly #input: Writable;
  readonly #written: Promise<void>;
  readonly #declared = new Set<string>();
  /** Per series the text before the time and the text after the value. */
  readonly #heads: string[] = [];
  readonly #tails: string[] = [];
  readonly #ids = new Map<string, number>();
  #lines = "";

  private constructor(input: Writable, written: Promise<void>) {
    this.#input = input;
    this.#written = written;
  }

  /** @throws InputError if the file cannot be written */
  static async open(path: string): Promise<JsonOutput> {
    const file = createWriteStream(path);
    try {
      await once(file, "open");
    } catch (cause) {
      throw new InputError(`${JSON.stringify(path)} cannot be written: ${messageOf(cause)}`, {
        cause,
      });
    }
    const input = new PassThrough();
    const written = path.endsWith(".gz")
      ? pipeline(input, createGzip(), file)
      : pipeline(input, file);
    // An error is reported by `close`; until then it must not be unhandled.
    written.catch(() => undefined);
    return new JsonOutput(input, written);
  }

  series(metric: Metric, tags: Tags): number {
    const { name, type, contains } = metric;
    const tail = `,"tags":${JSON.stringify(Object.fromEntries(tags))}}}\n`;
    const key = name + tail;
    let id = this.#ids.get(key);
    if (id !== undefined) return id;
    if (!this.#declared.has(name)) {
      this.#declared.add(name);
      const data = { name, type, contains, thresholds: [], submetrics: null };
      this.#write(`${JSON.stringify({ type: "Metric", data, metric: name })}\n`);
    }
    id = this.#heads.length;
    this.#heads.push(`{"metric":${JSON.stringify(name)},"type":"Point","data":{"time":"`);
    this.#tails.push(tail);
    this.#ids.set(key, id);
    return id;
  }

  sample(seriesId: number, timestampMs: number, value: number): void {
    const time = new Date(timestampMs).toISOString();
    this.#write(`${this.#heads[seriesId]}${time}","value":${value}${this.#tails[seriesId]}`);
  }

  dropped(): void {
    // What could not be read cannot be written either.
  }

  /** @throws InputError if anything could not be written */
  async close(): Promise<void> {
    this.#input.end(this.#lines);
    this.#lines = "";
    try {
      await this.#written;
    } catch (cause) {
      throw new InputError(`the JSON output is incomplete: ${messageOf(cause)}`, { cause });
    }
  }

  #write(text: string): void {
    this.#lines += text;
    if (this.#lines.length < flushLength) return;
    this.#input.write(this.#lines);
    this.#lines = "";
  }
}
