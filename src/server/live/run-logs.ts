/**
 * What generators log, a file of JSON lines per run, in the order in which it came:
 *
 *     {"timeNs":"1767225601000000000","level":"info","message":"hello","labels":{"source":"console"}}
 *
 * A run's log has a limit, in lines and in bytes. What is beyond it is counted; the log says that there is more, and `finish`
 * how much.
 */
import { mkdirSync } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../clock.ts";
import type { LogLine } from "../../runs/run-service.ts";
import { type NamedRun, runFileName } from "../run-files.ts";

export interface RunLogsOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Of one run. Default 100 000. */
  readonly limitLines?: number;
  /** Of one run. Default 16 MiB. */
  readonly limitBytes?: number;
}

interface RunLog {
  readonly path: string;
  lines: number;
  bytes: number;
  /** Since this process began. */
  dropped: number;
  /** Until now, one after the other. */
  written: Promise<void>;
}

const defaultLimitLines = 100_000;
const defaultLimitBytes = 16 * 1024 ** 2;
/** What k6 makes longer than 500 characters it cuts by itself, unless it is told otherwise. */
const limitMessageLength = 16_384;

export class RunLogs {
  readonly #options: RunLogsOptions;
  /** By the name of the file. */
  readonly #logs = new Map<string, Promise<RunLog>>();

  constructor(options: RunLogsOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  /** Resolves, when they are written, to how many lines the log has. */
  async append(run: NamedRun, lines: readonly LogLine[]): Promise<number> {
    const { limitLines = defaultLimitLines, limitBytes = defaultLimitBytes } = this.#options;
    const log = await this.#log(runFileName(run));
    let text = "";
    for (const line of lines) {
      const one = toText(line);
      const bytes = Buffer.byteLength(one);
      // Nothing behind the first that is dropped: a log has no holes.
      if (log.dropped > 0 || log.lines >= limitLines || log.bytes + bytes > limitBytes) {
        if (log.dropped++ === 0) text += this.#note("the log's limit is reached here");
        continue;
      }
      log.lines++;
      log.bytes += bytes;
      text += one;
    }
    await this.#write(log, text);
    return log.lines;
  }

  /** The run is over: says what the log has not. */
  async finish(run: NamedRun): Promise<void> {
    const name = runFileName(run);
    const log = await this.#logs.get(name);
    this.#logs.delete(name);
    if (log && log.dropped > 0) {
      await this.#write(
        log,
        this.#note(`${log.dropped} lines beyond the log's limit are not kept`),
      );
    }
  }

  #log(name: string): Promise<RunLog> {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = openLog(join(this.#options.directory, `${name}.jsonl`));
      // The next lines try again.
      log.catch(() => this.#logs.delete(name));
      this.#logs.set(name, log);
    }
    return log;
  }

  async #write(log: RunLog, text: string): Promise<void> {
    if (text !== "") {
      const before = log.written.catch(() => undefined);
      log.written = before.then(() => appendFile(log.path, text, { mode: 0o600 }));
    }
    await log.written;
  }

  #note(message: string): string {
    const timeNs = BigInt(this.#options.clock.nowMs()) * 1_000_000n;
    return toText({ timeNs, level: "warning", message, labels: { source: "plimsoll" } });
  }
}

function toText({ timeNs, level, message, labels }: LogLine): string {
  const line = {
    timeNs: timeNs.toString(),
    level,
    message: message.slice(0, limitMessageLength),
    labels,
  };
  return `${JSON.stringify(line)}\n`;
}

/** Counts what an earlier process has written; a line that it has not ended is ended. */
async function openLog(path: string): Promise<RunLog> {
  const file = await open(path, "a+", 0o600);
  try {
    let lines = 0;
    let bytes = 0;
    let last = 0x0a;
    for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) {
      // Without an encoding, chunks are buffers.
      const buffer = chunk as Buffer;
      for (const byte of buffer) if (byte === 0x0a) lines++;
      bytes += buffer.length;
      last = buffer.at(-1) ?? last;
    }
    if (last !== 0x0a) await file.appendFile("\n");
    return { path, lines, bytes, dropped: 0, written: Promise.resolve() };
  } finally {
    await file.close();
  }
}
