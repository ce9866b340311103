/**
 * `RunService`: what can be done with runs, done for those that belong to this server.
 *
 * Folders in the data directory, readable by their user only:
 *
 *     journals/<run>.journal    what has happened to a run that goes on, or is not delivered yet
 *     logs/<run>.jsonl          what its generators logged
 *     archives/<run>.tar        the script, as its generator sent it, redacted
 */
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../clock.ts";
import type { RemoteWriteOptions } from "../../config/options.ts";
import { messageOf } from "../../errors.ts";
import type { PrometheusOutput } from "../../output/prometheus-output.ts";
import { testidOf } from "../../runs/run-identity.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import type {
  LogLine,
  MetricsPush,
  PushOutcome,
  ReportedEnd,
  RunService,
  StartedRun,
  StartRun,
  StopOutcome,
} from "../../runs/run-service.ts";
import { isOver } from "../../runs/transitions.ts";
import { type DirectoryLock, lockDirectory } from "../../spool/directory-lock.ts";
import { LiveRun } from "./live-run.ts";
import { Receiver } from "./receiver.ts";
import { RunArchives } from "./run-archives.ts";
import { RunLogs } from "./run-logs.ts";
import { journalPath } from "./journal.ts";

export interface RunServiceOptions {
  readonly repository: RunRepository;
  /** Where samples go: one for each `--out`. At least one. */
  readonly outputs: readonly RemoteWriteOptions[];
  readonly dataDir: string;
  /** Of this server, as the others reach it. */
  readonly ownerUrl: string;
  /** Without data for so long a run is timed out. Default 2 minutes. */
  readonly runTimeoutMs?: number;
  /** How long after its end a run's totals are kept, so that late samples are part of them. Default 10 minutes. */
  readonly lateMs?: number;
  /** Of one run's journal. Default 1 GiB. */
  readonly journalLimitBytes?: number;
  /** Time at the end to deliver what is spooled. */
  readonly drainTimeoutMs: number;
  /** What a run's own token is, and what is kept of it. */
  readonly createToken: () => { readonly token: string; readonly hash: string };
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Name and version, e.g. `plimsoll/1.2.3`. */
  readonly userAgent: string;
  /** Something that the operator should know; of a run, where it concerns one. */
  readonly onNotice: (text: string, run?: RunRecord) => void;
}

const defaultRunTimeoutMs = 2 * 60_000;
const defaultLateMs = 10 * 60_000;
const defaultJournalLimitBytes = 1024 ** 3;
const tickMs = 250;

export class LiveRunService implements RunService, AsyncDisposable {
  readonly #options: RunServiceOptions;
  readonly #journals: string;
  readonly #lock: DirectoryLock;
  readonly #logs: RunLogs;
  readonly #archives: RunArchives;
  readonly #receivers: Receiver[] = [];
  readonly #runs = new Map<number, LiveRun>();
  /** Runs of which nothing more was expected, until their files are gone. */
  readonly #leaving = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Takes the data directory for this process and goes on with the runs that are in it. The stores need not be there.
   *
   * @throws SpoolError where another process has it; InputError, ConfigError for outputs that cannot be used
   */
  static async open(options: RunServiceOptions): Promise<LiveRunService> {
    const service = new LiveRunService(options);
    try {
      await service.#start();
      return service;
    } catch (error) {
      await service.close(0);
      throw error;
    }
  }

  private constructor(options: RunServiceOptions) {
    this.#options = options;
    this.#journals = join(options.dataDir, "journals");
    mkdirSync(this.#journals, { recursive: true, mode: 0o700 });
    this.#lock = lockDirectory(this.#journals);
    const { dataDir, clock } = options;
    this.#logs = new RunLogs({ directory: join(dataDir, "logs"), clock });
    this.#archives = new RunArchives(join(dataDir, "archives"));
  }

  /** Where samples go: URLs without credentials. */
  get stores(): string[] {
    return this.#receivers.map(({ displayUrl }) => displayUrl);
  }

  /** Of the runs whose samples are at hand; for metrics. */
  get outputs(): PrometheusOutput[] {
    return [...this.#runs.values()].flatMap((run) => run.outputs);
  }

  /** How many runs that the token of this name has started go on here. */
  openRunsOf(name: string): number {
    const isOpen = ({ record: { startedBy, state } }: LiveRun) =>
      startedBy === name && !isOver(state);
    return [...this.#runs.values()].filter(isOpen).length;
  }

  async start(request: StartRun): Promise<StartedRun> {
    const { repository, clock, random, ownerUrl, createToken } = this.#options;
    const nowMs = clock.nowMs();
    const { projectId, test: name, thresholds, ...rest } = request;
    const project = await repository.ensureProject(projectId, nowMs);
    const test = await repository.ensureTest(project.id, name, nowMs);
    const suffix = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
    const { token, hash } = createToken();
    const created = await repository.create({
      ...rest,
      testId: test.id,
      testid: testidOf(name, nowMs, suffix),
      thresholds: thresholds.map((one) => ({
        ...one,
        value: undefined,
        ok: undefined,
        generatorOk: undefined,
      })),
      createdMs: nowMs,
      tokenHash: hash,
      ownerUrl,
    });
    const { id } = created;
    // A request that is repeated may have been answered by another server, which then has the run.
    if ((await repository.ownerUrl(id)) !== ownerUrl) return { run: created, token };
    await repository.change(id, { stores: this.stores });
    const run = await repository.enter(id, { state: "initializing", atMs: nowMs });
    if (run && !isOver(run.state) && !this.#runs.has(id)) this.#add(run);
    return { run: run ?? created, token };
  }

  async push(push: MetricsPush): Promise<PushOutcome> {
    const run = await this.#find(push.runId);
    return run ? await run.push(push) : "unknown_run";
  }

  async log(runId: number, lines: readonly LogLine[]): Promise<boolean> {
    const { repository } = this.#options;
    const run = await repository.run(runId);
    if (run === undefined) return false;
    const logLines = await this.#logs.append(runId, lines);
    if (logLines > run.logLines) await repository.change(runId, { logLines });
    return true;
  }

  async saveArchive(runId: number, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    const { repository } = this.#options;
    if ((await repository.run(runId)) === undefined) return false;
    await repository.change(runId, { archiveBytes: await this.#archives.save(runId, tar) });
    return true;
  }

  async end(runId: number, end: ReportedEnd): Promise<RunRecord | undefined> {
    return await (await this.#find(runId))?.end(end);
  }

  async stop(runId: number, by: string): Promise<StopOutcome> {
    return (await (await this.#find(runId))?.stop(by)) ?? "unknown_run";
  }

  /** Stops. Runs stay open, and go on when the service is opened again. */
  async close(drainTimeoutMs: number = this.#options.drainTimeoutMs): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#runs.values()].map((run) => run.close(drainTimeoutMs)));
    this.#runs.clear();
    for (const receiver of this.#receivers) await receiver[Symbol.asyncDispose]();
    this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    const { outputs, clock, random, userAgent, onNotice, repository, ownerUrl } = this.#options;
    const probeId = testidOf("serve", clock.nowMs(), Math.floor(random() * 2 ** 32).toString(16));
    for (const output of outputs) {
      const receiver = await Receiver.open(output, {
        clock,
        random,
        userAgent,
        probeId,
        onNotice,
      });
      this.#receivers.push(receiver);
    }
    for (const record of await repository.openRuns(ownerUrl)) this.#add(record);
    for (const id of journalsIn(this.#journals)) {
      if (this.#runs.has(id)) continue;
      const record = await repository.run(id);
      if (record) this.#add(record);
      else this.#setAside(journalPath(this.#journals, id));
    }
    for (const id of journalsIn(this.#journals)) await this.#runs.get(id)?.open();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    // Whoever takes requests keeps the process alive.
    this.#timer.unref();
  }

  /** The run was deleted while we were away; or the database is another one, and the samples somebody's. */
  #setAside(path: string): void {
    renameSync(path, `${path}.unknown`);
    const text = `${JSON.stringify(path)} is of a run that the database does not know; it is kept as "….unknown"`;
    this.#options.onNotice(text);
  }

  #tick(): void {
    for (const [id, run] of this.#runs) {
      run.tick();
      if (!run.isDone) continue;
      this.#runs.delete(id);
      const removed = Promise.all([run.remove(), this.#logs.finish(id)])
        .then(() => undefined)
        .catch((error: unknown) => this.#options.onNotice(messageOf(error), run.record))
        .finally(() => this.#leaving.delete(id));
      this.#leaving.set(id, removed);
    }
  }

  /** Also a run that is over: samples may come late. */
  async #find(id: number): Promise<LiveRun | undefined> {
    const known = this.#runs.get(id);
    if (known) return known;
    await this.#leaving.get(id);
    const record = await this.#options.repository.run(id);
    if (!record) return undefined;
    return this.#runs.get(id) ?? this.#add(record);
  }

  #add(record: RunRecord): LiveRun {
    const { runTimeoutMs, lateMs, journalLimitBytes, onNotice } = this.#options;
    const run = new LiveRun(record, {
      ...this.#options,
      receivers: this.#receivers,
      directory: this.#journals,
      timeoutMs: runTimeoutMs ?? defaultRunTimeoutMs,
      lateMs: lateMs ?? defaultLateMs,
      journalLimitBytes: journalLimitBytes ?? defaultJournalLimitBytes,
      onNotice: (about, text) => onNotice(text, about),
    });
    this.#runs.set(record.id, run);
    return run;
  }
}

function journalsIn(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => {
    const id = /^(\d+)\.journal$/.exec(name)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
}
