/**
 * Where run records are kept: embedded or Postgres, in `store/`.
 *
 * Every method is atomic and safe to call again. Ids that do not exist give `undefined` or `false`, not an error.
 */
import type { ListedRun, RunRecord, RunResult, Transition } from "./run-record.ts";
import type { RunState } from "./run-state.ts";

export interface Project {
  readonly id: number;
  readonly name: string;
  readonly isDefault: boolean;
  readonly createdMs: number;
}

/** What runs are runs of: unique by project and name. */
export interface Test {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface NewRun extends Pick<
  RunRecord,
  | "testId"
  | "testid"
  | "source"
  | "generator"
  | "startedBy"
  | "options"
  | "maxVus"
  | "expectedSeconds"
  | "thresholds"
  | "tags"
  | "note"
  | "createdMs"
> {
  /** Digest of the token that may push to this run alone. */
  readonly tokenHash: string;
  /** Of the request that made it: the same key of the same `startedBy` makes no second run. Empty for none. */
  readonly idempotencyKey: string;
  /** Of the server that takes its samples: only that one has its totals. Empty where none does. */
  readonly serverId: string;
}

/** A server of this database: what it is called stays, where it is may change. */
export interface RunServer {
  readonly id: string;
  /** By which the other servers reach it. */
  readonly url: string;
  /** When it last said that it is there, by its own clock. */
  readonly seenMs: number;
}

type Changeable =
  | "thresholds"
  | "startedMs"
  | "lastDataMs"
  | "hasLateData"
  | "summary"
  | "stores"
  | "archiveBytes"
  | "logLines"
  | "note"
  | "starred"
  | "maxVus"
  | "expectedSeconds"
  | "options";

/** What may change about a run; what is left out stays as it is. */
export type RunChanges = {
  readonly [Key in Changeable]?: Exclude<RunRecord[Key], undefined>;
};

export interface RunFilter {
  readonly test?: string;
  readonly states?: readonly RunState[];
  readonly result?: RunResult;
  /** Part of the test's name, the run's testid, or the note. */
  readonly search?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly createdFromMs?: number;
  readonly createdBeforeMs?: number;
  /** Only those that somebody has starred. */
  readonly starred?: boolean;
}

/**
 * What a list may be sorted by; runs that are equal in it, by their ids.
 *
 * - `test`: its name, however it is capitalised, then the testid.
 * - `state`: its word.
 * - `duration`: of runs that are over; all others are shorter.
 * - `requests`: as the summary has them; runs without any are below 0.
 */
export const runSorts = ["created", "test", "state", "duration", "requests"] as const;
export type RunSort = (typeof runSorts)[number];

export const sortOrders = ["desc", "asc"] as const;
export type SortOrder = (typeof sortOrders)[number];

export interface Page {
  /** Default `created`. */
  readonly sort?: RunSort;
  /** Default `desc`: the newest, longest, last first. */
  readonly order?: SortOrder;
  /** Default 50, at most 1 000. */
  readonly limit?: number;
  /** What the page before gave as `next`; its `sort` was the same. */
  readonly after?: string;
}

export interface RunList {
  readonly runs: readonly ListedRun[];
  readonly total: number;
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

/** Of all projects: runs of tests that have one name are of one test. */
export interface TestWithRuns {
  readonly name: string;
  readonly runs: number;
  /** When the newest was made. */
  readonly lastRunMs: number;
}

export interface TagWithValues {
  readonly name: string;
  /** The latest first. */
  readonly values: readonly string[];
}

export interface RunRepository extends AsyncDisposable {
  /** The same for as long as the database lives, in its copies too; no other database has it. */
  databaseId(): Promise<string>;

  /** The default project exists from the beginning and has id 1. */
  projects(): Promise<readonly Project[]>;
  /** The project of this id, made if there is none: scripts bring the ids of other clouds. */
  ensureProject(id: number, nowMs: number): Promise<Project>;
  tests(projectId: number, name?: string): Promise<readonly Test[]>;
  test(id: number): Promise<Test | undefined>;
  ensureTest(projectId: number, name: string, nowMs: number): Promise<Test>;

  /**
   * In state `created`; for a key that was used before within the same test, the run that it made, whose token is the
   * new one from then on.
   *
   * @throws InputError for a test that is not there, a testid that is taken, a name that is too long
   */
  create(run: NewRun): Promise<RunRecord>;
  run(id: number): Promise<RunRecord | undefined>;
  runByTestid(testid: string): Promise<RunRecord | undefined>;
  /** @throws InputError for an `after` that no page gave */
  list(filter: RunFilter, page: Page): Promise<RunList>;
  /** Those that have runs, the one with the newest run first; at most 1 000. */
  testsWithRuns(): Promise<readonly TestWithRuns[]>;
  /** What the newest 5 000 runs are tagged with, by name: at most 100 names, and 50 values of each. */
  tags(): Promise<readonly TagWithValues[]>;
  /** Runs that are not over and belong to this server; for an empty id, to none. */
  openRuns(serverId: string): Promise<readonly RunRecord[]>;
  tokenHash(id: number): Promise<string | undefined>;
  /** Which run's token it is. */
  runIdByTokenHash(hash: string): Promise<number | undefined>;
  /** The server that has its samples; undefined where none does. */
  ownerOf(id: number): Promise<RunServer | undefined>;
  /** Gives a run to another server. */
  handOver(id: number, serverId: string): Promise<void>;
  change(id: number, changes: RunChanges): Promise<RunRecord | undefined>;
  /** Enters a state if the state machine allows it from where the run is, else gives the record as it is. */
  enter(id: number, transition: Transition, result?: RunResult): Promise<RunRecord | undefined>;
  delete(id: number): Promise<boolean>;

  /** Says that a server is there, and where. */
  saveServer(server: RunServer): Promise<void>;
  servers(): Promise<readonly RunServer[]>;

  tokens(): Promise<readonly ApiToken[]>;
  createToken(token: NewApiToken): Promise<ApiToken>;
  /** A token that is revoked is none. */
  tokenByHash(hash: string): Promise<ApiToken | undefined>;
  revokeToken(id: number, nowMs: number): Promise<boolean>;

  /**
   * Makes a link to a run, and forgets those of it that are over. Undefined where the run is not there.
   *
   * @throws InputError for a run that has `maxSharesOfRun` of them
   */
  createShare(share: NewShare): Promise<RunShare | undefined>;
  /** Those of a run that are not over. */
  shares(runId: number, nowMs: number): Promise<readonly RunShare[]>;
  /** One that is not over, whose maker has a token that is not revoked. */
  shareByHash(hash: string, nowMs: number): Promise<RunShare | undefined>;
  deleteShare(runId: number, id: number): Promise<boolean>;

  /** Writes a copy that is whole by itself to a file that does not exist yet; embedded only. @throws InputError */
  backup(path: string): Promise<void>;
}

/** Each may all that those before it may. */
export const roles = ["push", "read", "admin"] as const;
export type Role = (typeof roles)[number];

export interface NewApiToken {
  readonly name: string;
  readonly role: Role;
  /** Of the token, which itself is kept nowhere. */
  readonly hash: string;
  readonly createdMs: number;
}

export interface ApiToken {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly createdMs: number;
  readonly revokedMs: number | undefined;
}

/** Of links that are not over, per run: more than a team sends around. */
export const maxSharesOfRun = 100;

/** A link that shows one run. It goes with the run, and with the last token of whoever made it. */
export interface NewShare {
  readonly runId: number;
  /** The name of a token. */
  readonly createdBy: string;
  /** Of the link's token, which itself is kept nowhere. */
  readonly hash: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

export interface RunShare extends Omit<NewShare, "hash"> {
  readonly id: number;
}
