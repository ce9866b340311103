/**
 * `RunService`: what can be done with runs, done for those that belong to this server.
 *
 * In the data directory, readable by their user only (`<run>`: run-files.ts):
 *
 *     server.json               whose directory it is (data-directory.ts)
 *     journals/<run>.journal    what has happened to a run that goes on, or is not delivered yet
 *     logs/<run>.jsonl          what its generators logged
 *     archives/<run>.tar        the script, as its generator sent it, redacted
 */
import { mkdirSync } from "node:fs";
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
import { awaitDirectory, type DirectoryLock } from "../../spool/directory-lock.ts";
import { openDataDirectory } from "../data-directory.ts";
import { Backlog } from "./backlog.ts";
import { findJournaledRuns } from "./journaled-runs.ts";
import { LiveRun } from "./live-run.ts";
import { renameNumberedFiles } from "./numbered-files.ts";
import { Presence } from "./presence.ts";
import { Receiver } from "./receiver.ts";
import { RunArchives } from "./run-archives.ts";
import { RunLogs } from "./run-logs.ts";
import { ServiceUnavailable } from "./service-unavailable.ts";

export interface RunServiceOptions {
  readonly repository: RunRepository;
  /** Where samples go: one for each `--out`. At least one. */
  readonly outputs: readonly RemoteWriteOptions[];
  readonly dataDir: string;
  /** By which the other servers of the database reach this one; no slash at its end. */
  readonly peerUrl: string;
  /** Without data for so long a run is timed out. Default 2 minutes. */
  readonly runTimeoutMs?: number;
  /** How long after its end a run's totals are kept, so that late samples are part of them. Default 10 minutes. */
  readonly lateMs?: number;
  /** Between two looks at which servers are there; the same for all of them. Default 30 s. */
  readonly beatMs?: number;
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
/** Another server may be silent for two minutes at least, as a generator may. */
const defaultBeatMs = 30_000;
const leastPatienceBeats = 4;

export class LiveRunService implements RunService, AsyncDisposable {
  readonly #options: RunServiceOptions;
  readonly #journals: string;
  #lock: DirectoryLock | undefined;
  readonly #logs: RunLogs;
  readonly #archives: RunArchives;
  readonly #receivers: Receiver[] = [];
  readonly #backlog = new Backlog();
  readonly #runs = new Map<number, LiveRun>();
  /** Runs of which nothing more was expected, until their files are gone. */
  readonly #leaving = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #presence: Presence | undefined;
  #serverId = "";
  #isClosed = false;
  #isLost = false;

  /**
   * Takes the data directory for this process and goes on with the runs that are in it. The stores need not be there.
   *
   * @throws SpoolError where another process has it; DatabaseError where it is of another database; InputError,
   * ConfigError for outputs that cannot be used
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
    const { dataDir, clock } = options;
    this.#logs = new RunLogs({ directory: join(dataDir, "logs"), clock });
    this.#archives = new RunArchives(join(dataDir, "archives"));
  }

  /** What the runs of this server belong to, wherever it listens. */
  get serverId(): string {
    return this.#serverId;
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

  /** Whether samples of the run are here that the stores do not have yet. */
  isPending(runId: number): boolean {
    return this.#runs.get(runId)?.isPending === true;
  }

  async start(request: StartRun): Promise<StartedRun> {
    this.#expectHeld();
    const { repository, clock, random, createToken } = this.#options;
    const nowMs = clock.nowMs();
    const { projectId, test: name, thresholds, ...rest } = request;
    const project = await repository.ensureProject(projectId, nowMs);
    const test = await repository.ensureTest(project.id, name, nowMs);
    const suffix = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
    const { token, hash } = createToken();
    const testid = testidOf(name, nowMs, suffix);
    const created = await repository.create({
      ...rest,
      testId: test.id,
      testid,
      thresholds: thresholds.map((one) => ({
        ...one,
        value: undefined,
        ok: undefined,
        generatorOk: undefined,
      })),
      createdMs: nowMs,
      tokenHash: hash,
      serverId: this.#serverId,
    });
    const { id } = created;
    // A request that is repeated may have been answered by another server, which then has the run.
    const isOurs =
      created.testid === testid || (await repository.ownerOf(id))?.id === this.#serverId;
    if (!isOurs) return { run: created, token };
    // First: where the database takes nothing more of it, its silence ends it.
    if (!isOver(created.state) && !this.#runs.has(id)) this.#add(created);
    await repository.change(id, { stores: this.stores });
    const run = await repository.enter(id, { state: "initializing", atMs: nowMs });
    return { run: run ?? created, token };
  }

  async push(push: MetricsPush): Promise<PushOutcome> {
    this.#expectHeld();
    const run = await this.#find(push.runId);
    return run ? await run.push(push) : "unknown_run";
  }

  async log(runId: number, lines: readonly LogLine[]): Promise<boolean> {
    this.#expectHeld();
    const { repository } = this.#options;
    const run = await repository.run(runId);
    if (run === undefined) return false;
    const logLines = await this.#logs.append(run, lines);
    if (logLines > run.logLines) await repository.change(runId, { logLines });
    return true;
  }

  async saveArchive(runId: number, tar: AsyncIterable<Uint8Array>): Promise<boolean> {
    this.#expectHeld();
    const { repository } = this.#options;
    const run = await repository.run(runId);
    if (run === undefined) return false;
    await repository.change(runId, { archiveBytes: await this.#archives.save(run, tar) });
    return true;
  }

  async end(runId: number, end: ReportedEnd): Promise<RunRecord | undefined> {
    this.#expectHeld();
    return await ((await this.#find(runId)) ?? (await this.#findForeign(runId)))?.end(end);
  }

  async stop(runId: number, by: string): Promise<StopOutcome> {
    this.#expectHeld();
    const run = (await this.#find(runId)) ?? (await this.#findForeign(runId));
    return (await run?.stop(by)) ?? "unknown_run";
  }

  /** Stops. Runs stay open, and go on when the service is opened again. */
  async close(drainTimeoutMs: number = this.#options.drainTimeoutMs): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#presence?.stop();
    await Promise.all([...this.#runs.values()].map((run) => run.close(drainTimeoutMs)));
    await Promise.all(this.#leaving.values());
    this.#runs.clear();
    for (const receiver of this.#receivers) await receiver[Symbol.asyncDispose]();
    this.#lock?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    const { outputs, clock, random, userAgent, onNotice, repository, dataDir } = this.#options;
    this.#lock = await awaitDirectory(this.#journals, onNotice);
    this.#serverId = await openDataDirectory(dataDir, await repository.databaseId(), async () => {
      await renameNumberedFiles(dataDir, repository);
    });
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
    // Before any run belongs to this server: the others must know where it is.
    this.#presence = await this.#startPresence();
    await this.#takeUpRuns();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    // Whoever takes requests keeps the process alive.
    this.#timer.unref();
  }

  /** Who has a run's journal has its samples: it is this server's, whatever it was called when it began. */
  async #takeUpRuns(): Promise<void> {
    const { repository, onNotice, peerUrl } = this.#options;
    const found = await findJournaledRuns(this.#journals, repository, (path) =>
      onNotice(
        `${JSON.stringify(path)} is of a run that the database does not know; it is kept as "….unknown"`,
      ),
    );
    // A server was its address (migrations.ts): of a run without a journal nothing else says that it is ours.
    const former = await repository.openRuns(peerUrl);
    for (const { id } of [...found, ...former]) await repository.handOver(id, this.#serverId);
    const journaled = found.map((record) => this.#add(record));
    for (const record of await repository.openRuns(this.#serverId)) {
      if (!this.#runs.has(record.id)) this.#add(record);
    }
    for (const run of journaled) await run.open();
  }

  async #startPresence(): Promise<Presence> {
    const { runTimeoutMs = defaultRunTimeoutMs, beatMs = defaultBeatMs } = this.#options;
    return await Presence.start({
      ...this.#options,
      serverId: this.#serverId,
      beatMs,
      patienceBeats: Math.max(leastPatienceBeats, Math.ceil(runTimeoutMs / beatMs)),
    });
  }

  #expectHeld(): void {
    if (this.#isClosed || this.#isHeld()) return;
    throw new ServiceUnavailable("another process has this server's data directory");
  }

  /** Whoever stood still, as in a container that was paused, may have lost the directory, and never gets it back. */
  #isHeld(): boolean {
    if (this.#isLost) return false;
    if (this.#lock?.isHeld() === true) return true;
    this.#isLost = true;
    clearInterval(this.#timer);
    // The other one says where this server is.
    void this.#presence?.stop();
    this.#options.onNotice(
      `another process has taken the data directory ${JSON.stringify(this.#options.dataDir)}, which was in use here: ` +
        "nothing more is taken or written; end this server, or that one and start this again",
    );
    return false;
  }

  #tick(): void {
    if (!this.#isHeld()) return;
    for (const [id, run] of this.#runs) {
      run.tick();
      if (!run.isDone) continue;
      this.#runs.delete(id);
      const removed = Promise.all([run.remove(), this.#logs.finish(run.record)])
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
    const { repository } = this.#options;
    const record = await repository.run(id);
    const owner = await repository.ownerOf(id);
    if (!record || !owner) return undefined;
    // Of a server that is no more: another one that is there would have been asked.
    if (owner.id !== this.#serverId) await repository.handOver(id, this.#serverId);
    return this.#runs.get(id) ?? this.#add(record);
  }

  /** A run that sends its samples itself (`plimsoll run`): its silence here means nothing. */
  async #findForeign(id: number): Promise<LiveRun | undefined> {
    const record = await this.#options.repository.run(id);
    return record && this.#create(record);
  }

  #add(record: RunRecord): LiveRun {
    // Its journal is the next one's.
    if (this.#isClosed) throw new ServiceUnavailable("this server is stopping");
    const run = this.#create(record);
    this.#runs.set(record.id, run);
    return run;
  }

  #create(record: RunRecord): LiveRun {
    const { runTimeoutMs, lateMs, journalLimitBytes, onNotice } = this.#options;
    return new LiveRun(record, {
      ...this.#options,
      receivers: this.#receivers,
      backlog: this.#backlog,
      directory: this.#journals,
      isHeld: () => this.#isHeld(),
      timeoutMs: runTimeoutMs ?? defaultRunTimeoutMs,
      lateMs: lateMs ?? defaultLateMs,
      journalLimitBytes: journalLimitBytes ?? defaultJournalLimitBytes,
      onNotice: (about, text) => onNotice(text, about),
    });
  }
}
