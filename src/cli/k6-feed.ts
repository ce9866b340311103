/**
 * What takes k6's samples over: JSON lines through a named pipe, or its cloud output's buckets over HTTP.
 */
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { MetricSetReader } from "../cloud/metric-set-reader.ts";
import type { Environment } from "../config/option-row.ts";
import { GeneratorError, messageOf } from "../errors.ts";
import { findFreePort, loopback } from "../free-port.ts";
import { contentOf } from "../generate/k6-api.ts";
import { startK6Receiver } from "../generate/k6-receiver.ts";
import { apiAddress, type K6Samples } from "../generate/k6-samples.ts";
import { openFifo } from "../sample/fifo.ts";
import { JsonLinesReader } from "../sample/json-lines.ts";
import type { SampleSink } from "../sample/sample.ts";
import type { BucketSink } from "../sample/sample-bucket.ts";
import { LineProblems } from "./line-problems.ts";

export interface K6Feed extends AsyncDisposable {
  /** What k6 has to be started with. */
  readonly samples: K6Samples;
  /** Whether k6 has begun to hand over samples, or is about to. */
  readonly isInUse: boolean;
  /** Hands on every sample until k6 has no more. Call it once. */
  read(): Promise<void>;
  /** k6 is gone, so `read` ends with what there is. */
  release(): void;
}

export async function openLinesFeed(
  folder: string,
  sink: SampleSink,
  log: (text: string) => void,
): Promise<K6Feed> {
  const fifoPath = join(folder, "samples.json");
  const fifo = await openFifo(fifoPath);
  return {
    samples: { kind: "lines", fifoPath },
    isInUse: true,
    async read() {
      const problems = new LineProblems((text) => log(`plimsoll: k6's samples, ${text}`));
      const reader = new JsonLinesReader(sink, { onProblem: (problem) => problems.add(problem) });
      for await (const chunk of fifo.chunks) reader.write(chunk);
      reader.end();
    },
    release: () => fifo.release(),
    [Symbol.asyncDispose]: async () => fifo.release(),
  };
}

export interface BucketsFeedOptions {
  /** The user's flags of `k6 run`. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: (text: string) => void;
}

export async function openBucketsFeed(
  sink: BucketSink,
  { args, env, clock, log }: BucketsFeedOptions,
): Promise<K6Feed> {
  const ownAddress = apiAddress(args, env);
  const address = ownAddress ?? `${loopback}:${await findFreePort()}`;
  let reader: MetricSetReader | undefined;
  const receiver = await startK6Receiver({
    clock,
    onPush: async (body) => {
      reader ??= new MetricSetReader(sink, {
        clock,
        startMs: receiver.createdMs ?? 0,
        onNotice: (text) => log(`plimsoll: ${text}`),
        contentOf: async (metric) => {
          const content = await contentOf(address, metric);
          if (content !== undefined) return content;
          log(
            `plimsoll: k6 does not say what metric ${JSON.stringify(metric)} contains; it is taken for plain numbers`,
          );
          return "default";
        },
      });
      await reader.read(body);
    },
  });
  return {
    samples: {
      kind: "buckets",
      cloudUrl: receiver.url,
      address: ownAddress === undefined ? address : undefined,
    },
    get isInUse() {
      return receiver.createdMs !== undefined;
    },
    async read() {
      try {
        await receiver.ended;
      } catch (cause) {
        throw new GeneratorError(
          `what k6 summed up cannot be read: ${messageOf(cause)}; use --k6-samples lines`,
          { cause },
        );
      }
    },
    release: () => receiver.release(),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}
