/**
 * One run, from its start until nothing more is expected of it: its state, its verdicts, its samples.
 *
 * In:  pushes, its reported end, the tick of the clock. Out: the run's record as it changes, and points (run-samples.ts).
 *
 *     first push ─► running;   silence ─► timed_out;   reported end ─► finished | aborted_by_…
 *
 * Samples that come after the end are written like all others; the end is written again behind them when they have ceased.
 */
import type { Clock } from "../../clock.ts";
import { decodeUntrusted } from "../../cloud/check-metric-set.ts";
import { messageOf } from "../../errors.ts";
import type { PrometheusOutput } from "../../output/prometheus-output.ts";
import type { RunRecord, ThresholdVerdict } from "../../runs/run-record.ts";
import type { RunChanges, RunRepository } from "../../runs/run-repository.ts";
import type {
  MetricsPush,
  PushExcess,
  PushOutcome,
  ReportedEnd,
  StopOutcome,
} from "../../runs/run-service.ts";
import { stopOf } from "../../runs/stopping.ts";
import { isOver, resultOf } from "../../runs/transitions.ts";
import { nameLimits } from "./journal-facts.ts";
import { ServiceUnavailable } from "./service-unavailable.ts";
import { isSame, saidOf, stateOf, toResult, toSummary } from "./run-end.ts";
import { RunSamples, type RunSamplesOptions } from "./run-samples.ts";

export interface LiveRunOptions extends Omit<RunSamplesOptions, "onNotice"> {
  readonly repository: RunRepository;
  readonly clock: Clock;
  /** Without data for so long a run is over. */
  readonly timeoutMs: number;
  /** How long after its end a run's totals are kept, so that late samples are part of them. */
  readonly lateMs: number;
  readonly onNotice: (run: RunRecord, text: string) => void;
}

/** As often as k6 judges. Source: k6 `internal/metrics/engine/engine.go`. */
const judgeIntervalMs = 2_000;
/**
 * How old the time of the last data in the record may be. Each write waits for the disk, and everybody with it: every two
 * seconds and of a hundred runs, that was a fifth of the server's time.
 */
const lastDataStepMs = 10_000;
const excessNotices: Readonly<Record<PushExcess, string>> = {
  too_many_generators: `it has ${nameLimits.generators} names of generators; pushes of others are refused`,
  too_many_metrics: `it has up to ${nameLimits.metrics} metrics; pushes with more are refused`,
};
/** With no late sample for so long, the end is written again. */
const lateQuietMs = 5_000;
/** What passes between two ticks, at most, many times as long as it should: the clock was set, or we stood still. */
const longestTickMs = 5_000;

export class LiveRun {
  readonly #options: LiveRunOptions;
  #record: RunRecord;
  #samples: Promise<RunSamples> | undefined;
  /** The same, when it is there. */
  #opened: RunSamples | undefined;
  #lastTickMs: number;
  /** By our ticks, and so none of the time in which we were not there ourselves. */
  #silentMs = 0;
  #sinceLookMs = judgeIntervalMs;
  #isClosed = false;
  readonly #told = new Set<string>();
  /** What its creator has said of the end: where the database does not take it, it is tried again. */
  #reported: ReportedEnd | undefined;
  /** Whether the record has the summary behind the journal's end. Who opens the run again does not know. */
  #isEndSaved = false;
  /** What changes the record, one after the other: what the database has last is what happened last. */
  #turn: Promise<unknown> = Promise.resolve();
  #isSaveQueued = false;
  /** What a tick has begun. */
  #background: Promise<void> | undefined;

  constructor(record: RunRecord, options: LiveRunOptions) {
    this.#record = record;
    this.#options = options;
    this.#lastTickMs = options.clock.nowMs();
  }

  get outputs(): readonly PrometheusOutput[] {
    return this.#opened?.outputs ?? [];
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** @throws InputError for a body that cannot be read; ServiceUnavailable where it is to be sent again */
  async push({ instance, key, body }: MetricsPush): Promise<PushOutcome> {
    const set = decodeUntrusted(body);
    const samples = await this.open();
    let outcome: PushOutcome;
    try {
      outcome = samples.push({ instance, key, body }, set);
    } catch (error) {
      // Whom we cannot serve is not silent.
      this.#silentMs = 0;
      throw error;
    }
    if (outcome === "too_many_generators" || outcome === "too_many_metrics") {
      this.#tellOnce(outcome, excessNotices[outcome]);
      return outcome;
    }
    this.#silentMs = 0;
    if (samples.stopBy !== undefined && !isOver(this.#record.state)) return "stopped";
    if (outcome === "repeated") return outcome;
    const { state, lastDataMs, hasLateData } = this.#record;
    if (lastDataMs === undefined || (isOver(state) && !hasLateData)) await this.#saveOnce();
    await samples.room();
    return "stored";
  }

  /** Looks at the clock. */
  tick(): void {
    const { clock, timeoutMs } = this.#options;
    const nowMs = clock.nowMs();
    const passedMs = Math.min(Math.max(0, nowMs - this.#lastTickMs), longestTickMs);
    this.#lastTickMs = nowMs;
    this.#silentMs += passedMs;
    this.#sinceLookMs += passedMs;
    const samples = this.#opened;
    samples?.tick();
    if (this.#background !== undefined) return;
    if (this.#sinceLookMs < judgeIntervalMs) return;
    this.#sinceLookMs = 0;
    const isOpen = !isOver(this.#record.state);
    const reported = this.#reported ?? samples?.reported;
    if (isOpen && reported) {
      this.#inBackground(() => this.#end(reported));
    } else if (isOpen && this.#silentMs > timeoutMs) {
      const reason = `no samples for ${timeoutMs / 1_000} s`;
      this.#inBackground(() => this.#end({ state: "timed_out", reason }));
    } else if (samples && isOpen) {
      this.#inBackground(() => this.#save(lastDataStepMs));
    } else if (samples && !this.#hasEnd && samples.quietMs >= lateQuietMs) {
      this.#inBackground(() => this.#writeEnd(samples));
    }
  }

  /** Whether nothing more is expected of it, and the stores have all that came. */
  get isDone(): boolean {
    if (!isOver(this.#record.state) || this.#background) return false;
    if (this.#samples === undefined) return true;
    const samples = this.#opened;
    const isLate = this.#silentMs > this.#options.lateMs;
    return isLate && this.#hasEnd && samples?.isDelivered === true;
  }

  /** Whether samples are here that the stores do not have yet. */
  get isPending(): boolean {
    return this.#samples !== undefined && this.#opened?.isDelivered !== true;
  }

  /** Whether the end is written, in the journal and in the record, and nothing has come since: both may fail. */
  get #hasEnd(): boolean {
    return this.#isEndSaved && this.#opened?.isEnded === true;
  }

  /** Where this rejects, it is tried again until the database takes it, by the next server if need be. */
  async end(reported: ReportedEnd): Promise<RunRecord> {
    if (this.#isClosed) throw stopping();
    this.#reported ??= reported;
    // Not in its turn, which comes when the database has answered those before.
    if (!isOver(this.#record.state)) this.#writeReport();
    return await this.#inTurn(() => this.#end(reported));
  }

  async stop(by: string): Promise<StopOutcome> {
    if (isOver(this.#record.state)) return "over";
    if (!stopOf(this.#record).can) return "unstoppable";
    (await this.open()).stop(by);
    return "stopping";
  }

  /** Reads what there is of its samples, and goes on from there. */
  async open(): Promise<RunSamples> {
    if (!this.#isClosed) this.#samples ??= this.#open();
    const samples = await this.#samples;
    if (this.#isClosed || !samples) throw stopping();
    return samples;
  }

  /** The run goes on where it is opened again. */
  async close(drainTimeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    // Whoever wanted them has been told why they could not be opened.
    await (await this.#samples?.catch(() => undefined))?.close(drainTimeoutMs);
  }

  /** Forgets its samples. */
  async remove(): Promise<void> {
    this.#isClosed = true;
    await (await this.#samples)?.remove();
  }

  async #open(): Promise<RunSamples> {
    try {
      this.#opened = await RunSamples.open(this.#record, {
        ...this.#options,
        onNotice: (text) => this.#options.onNotice(this.#record, text),
      });
      return this.#opened;
    } catch (error) {
      // The next push tries again.
      this.#samples = undefined;
      throw error;
    }
  }

  /** Brings the record up to what is known; the time of the last data where it is so much later. */
  async #save(stepMs = 1): Promise<void> {
    const { repository, clock } = this.#options;
    const { id, state, startedMs, lastDataMs, hasLateData } = this.#record;
    const samples = await this.#samples;
    if (samples?.lastArrivalMs === undefined) return;
    await samples.settled();
    if (state === "created" || state === "initializing") {
      const atMs = clock.nowMs();
      this.#take(await repository.enter(id, { state: "running", atMs }));
    }
    const thresholds = isOver(state) ? this.#record.thresholds : this.#verdicts(samples, false);
    const isNewer = samples.lastArrivalMs - (lastDataMs ?? 0) >= stepMs;
    const changes: RunChanges = {
      ...(startedMs === undefined &&
        samples.firstSampleMs !== undefined && { startedMs: samples.firstSampleMs }),
      ...(isNewer && { lastDataMs: samples.lastArrivalMs }),
      ...(isOver(state) && isNewer && !hasLateData && { hasLateData: true }),
      ...(thresholds.some((one, at) => !isSame(one, this.#record.thresholds[at])) && {
        thresholds,
      }),
    };
    if (Object.keys(changes).length > 0) this.#take(await repository.change(id, changes));
  }

  async #end(reported: ReportedEnd): Promise<RunRecord> {
    const { repository, clock } = this.#options;
    if (isOver(this.#record.state)) return this.#record;
    const samples = await this.#samples;
    this.#writeReport();
    await samples?.flush();
    expectCounted(samples);
    // At once: while others are waited for, an output may be opened, and everything read again.
    const verdicts = this.#verdicts(samples, true).map((verdict) => ({
      ...verdict,
      generatorOk: saidOf(verdict, reported),
    }));
    if (samples) await this.#save();
    const { stopBy, runSeconds = 0 } = samples ?? {};
    const state = stateOf(reported, verdicts, { stopBy, runSeconds });
    const by = reported.by ?? (state === "aborted_by_user" ? stopBy : undefined);
    const transition = {
      state,
      atMs: clock.nowMs(),
      ...(reported.reason !== undefined && { reason: reported.reason }),
      ...(by !== undefined && { by }),
    };
    const { id } = this.#record;
    this.#take(await repository.change(id, { thresholds: verdicts }));
    this.#take(await repository.enter(id, transition, resultOf(state, verdicts)));
    if (samples) await this.#writeEnd(samples);
    return this.#record;
  }

  /** In the journal: silence is no word of anybody's, and may be over before the database takes it. */
  #writeReport(): void {
    const samples = this.#opened;
    if (this.#reported && samples && !samples.reported) samples.report(this.#reported);
  }

  /** What the outputs and the record say of the run as a whole; of it, what is not written yet. */
  async #writeEnd(samples: RunSamples): Promise<void> {
    const { state, thresholds, id } = this.#record;
    this.#isEndSaved = false;
    if (samples.isEnded) await samples.settled();
    else await samples.end(state, thresholds.flatMap(toResult));
    expectCounted(samples);
    if (samples.isWhole) {
      const changes = { summary: samples.watch?.totals().flatMap(toSummary) ?? [] };
      this.#take(await this.#options.repository.change(id, changes));
    }
    // What came while all this was written.
    if (samples.lastArrivalMs !== this.#record.lastDataMs) await this.#save();
    this.#isEndSaved = true;
  }

  #verdicts(samples: RunSamples | undefined, isFinal: boolean): ThresholdVerdict[] {
    const { thresholds } = this.#record;
    if (samples && !samples.isWhole) return thresholds.map(withoutJudgement);
    const runSeconds = samples?.runSeconds ?? 0;
    const judgements = samples?.watch?.judge({ runSeconds, isFinal }) ?? [];
    return thresholds.map((threshold, at) => {
      const judgement = judgements[at];
      return judgement ? { ...threshold, ...judgement } : threshold;
    });
  }

  #take(record: RunRecord | undefined): void {
    if (record) this.#record = record;
  }

  /** Not where one waits already: a database that is away would have the more of them. The tick tries again. */
  async #saveOnce(): Promise<void> {
    if (this.#isSaveQueued) return;
    this.#isSaveQueued = true;
    await this.#inTurn(() => this.#save())
      .catch((error: unknown) => this.#tell(error))
      .finally(() => (this.#isSaveQueued = false));
  }

  async #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return await done;
  }

  #inBackground(task: () => Promise<unknown>): void {
    this.#background = this.#inTurn(task)
      .then(() => undefined)
      .catch((error: unknown) => this.#tell(error))
      .finally(() => (this.#background = undefined));
  }

  #tellOnce(matter: string, text: string): void {
    if (this.#told.has(matter)) return;
    this.#told.add(matter);
    this.#options.onNotice(this.#record, text);
  }

  #tell(error: unknown): void {
    this.#options.onNotice(this.#record, messageOf(error));
  }
}

function stopping(): ServiceUnavailable {
  return new ServiceUnavailable("this server is stopping");
}

/** @throws ServiceUnavailable while the journal is to be read again: nothing is known then, which is not nothing. */
function expectCounted(samples: RunSamples | undefined): void {
  if (samples?.isWhole === true && !samples.watch) {
    throw new ServiceUnavailable("the run's samples have not been read again yet");
  }
}

/** Of a run of which not all samples are known: what has failed once stays so, anything else is open. */
function withoutJudgement(verdict: ThresholdVerdict): ThresholdVerdict {
  return verdict.ok === false ? verdict : { ...verdict, ok: undefined, value: undefined };
}
