/**
 * Says in the database that this server is there, and where; and finds out which of the others are not.
 *
 * Nobody compares clocks: a server is lost when what it says has not changed for so many of our own beats. Nobody has its
 * runs then, and they are timed out. When it comes back it stores what comes, as late samples.
 */
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { RunRepository, RunServer } from "../../runs/run-repository.ts";

export interface PresenceOptions {
  readonly repository: RunRepository;
  readonly serverId: string;
  /** By which the others reach this server. */
  readonly peerUrl: string;
  /** The same for all servers. */
  readonly beatMs: number;
  /** Another server that says nothing for so many beats is lost. */
  readonly patienceBeats: number;
  readonly clock: Clock;
  /** Something that the operator should know. */
  readonly onNotice: (text: string) => void;
}

interface Watched {
  readonly seenMs: number;
  /** Our beats since it said so. */
  readonly beats: number;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #others = new Map<string, Watched>();
  #isDoubleTold = false;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  /** Resolves when the others can know of this server. @throws what the database says */
  static async start(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options);
    await presence.beat();
    presence.#timer = setInterval(() => {
      presence.#beating ??= presence
        .beat()
        .catch((error: unknown) => options.onNotice(messageOf(error)))
        .finally(() => (presence.#beating = undefined));
    }, options.beatMs);
    presence.#timer.unref();
    return presence;
  }

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
  }

  /** What fails is tried again by the next. */
  async beat(): Promise<void> {
    const { repository, serverId, peerUrl, clock } = this.#options;
    await repository.saveServer({ id: serverId, url: peerUrl, seenMs: clock.nowMs() });
    for (const server of await repository.servers()) {
      if (server.id !== serverId) await this.#lookAt(server);
    }
  }

  async #lookAt(server: RunServer): Promise<void> {
    const { id, seenMs, url } = server;
    const known = this.#others.get(id);
    const isNews = known?.seenMs !== seenMs;
    const beats = isNews ? 0 : known.beats + 1;
    if (beats === this.#options.patienceBeats) await this.#timeOutRunsOf(server);
    this.#others.set(id, { seenMs, beats });
    if (known && isNews && url === this.#options.peerUrl && !this.#isDoubleTold) {
      this.#isDoubleTold = true;
      this.#options.onNotice(
        `another server of this database is said to be at ${url}, too: give each its own --peer-url, the address by which ` +
          "the others reach it; until then what one is asked about the other's runs is answered 503",
      );
    }
  }

  async #timeOutRunsOf({ id, url }: RunServer): Promise<void> {
    const { repository, clock } = this.#options;
    for (const run of await repository.openRuns(id)) {
      const reason = `the server at ${url}, which had it, has gone without a word`;
      await repository.enter(run.id, { state: "timed_out", atMs: clock.nowMs(), reason }, "error");
    }
  }
}
