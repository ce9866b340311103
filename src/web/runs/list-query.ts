/**
 * What of the runs is listed, and how it is written: in the address bar, so that a list can be linked to, and to the server.
 */
import type { RunListItem } from "../../server/api/run-view.ts";
import { isUnderWay, stateNames } from "../format/state-words.ts";

export const sortKeys = ["created", "test", "state", "duration", "requests"] as const;
export type SortKey = (typeof sortKeys)[number];

export type RangeName = "1h" | "24h" | "7d" | "30d" | "365d";

/** How long ago at most, by its name in the address. */
export const ranges: Readonly<
  Record<RangeName, { readonly words: string; readonly seconds: number }>
> = {
  "1h": { words: "the last hour", seconds: 3_600 },
  "24h": { words: "the last 24 hours", seconds: 86_400 },
  "7d": { words: "the last 7 days", seconds: 7 * 86_400 },
  "30d": { words: "the last 30 days", seconds: 30 * 86_400 },
  "365d": { words: "the last year", seconds: 365 * 86_400 },
};

/** What is empty or undefined is not asked for. */
export interface ListQuery {
  readonly search: string;
  readonly test: string;
  /** A state, or `under_way`, or `over`. */
  readonly state: string;
  readonly result: string;
  /** Each `name=value`. */
  readonly tags: readonly string[];
  readonly range: RangeName | undefined;
  /** RFC 3339; only without `range`. */
  readonly from: string;
  readonly before: string;
  readonly starred: boolean;
  readonly sort: SortKey;
  readonly order: "asc" | "desc";
  /** Of the page: what the one before gave. */
  readonly after: string;
}

export const everything: ListQuery = {
  search: "",
  test: "",
  state: "",
  result: "",
  tags: [],
  range: undefined,
  from: "",
  before: "",
  starred: false,
  sort: "created",
  order: "desc",
  after: "",
};

/** What is not understood is left out: an address may be typed, or of another version. */
export function parseListQuery(params: URLSearchParams): ListQuery {
  const text = (name: string): string => params.get(name) ?? "";
  const oneOf = (name: string, known: readonly string[]): string =>
    known.includes(text(name)) ? text(name) : "";
  return {
    search: text("search"),
    test: text("test"),
    state: oneOf("state", [...stateNames, "under_way", "over"]),
    result: oneOf("result", ["passed", "failed", "error"]),
    tags: params.getAll("tag").filter((tag) => tag.indexOf("=") > 0),
    range: Object.hasOwn(ranges, text("range")) ? (text("range") as RangeName) : undefined, // its own key
    from: timeOrNothing(text("from")),
    before: timeOrNothing(text("before")),
    starred: text("starred") === "true",
    sort: sortKeys.find((key) => key === text("sort")) ?? everything.sort,
    order: text("order") === "asc" ? "asc" : "desc",
    after: text("after"),
  };
}

/** The path of the list: what is usual stands not in it. */
export function pathOfList(query: ListQuery): string {
  const params = new URLSearchParams();
  const put = (name: string, value: string): void => {
    if (value !== "") params.append(name, value);
  };
  put("search", query.search);
  put("test", query.test);
  put("state", query.state);
  put("result", query.result);
  for (const tag of query.tags) put("tag", tag);
  put("range", query.range ?? "");
  put("from", query.from);
  put("before", query.before);
  if (query.starred) put("starred", "true");
  if (query.sort !== everything.sort) put("sort", query.sort);
  if (query.order !== everything.order) put("order", query.order);
  put("after", query.after);
  const text = params.toString();
  return text === "" ? "/runs" : `/runs?${text}`;
}

/**
 * The path of the question to the server.
 *
 * @param nowMs a range ends there; in whole minutes, so that the same question stays the same for a while
 */
export function questionOf(query: ListQuery, limit: number, nowMs: number): string {
  const params = new URLSearchParams({
    limit: String(limit),
    sort: query.sort,
    order: query.order,
  });
  for (const name of ["search", "test", "result", "after"] as const) {
    if (query[name] !== "") params.set(name, query[name]);
  }
  for (const state of statesOf(query.state)) params.append("state", state);
  for (const tag of query.tags) params.append("tag", tag);
  if (query.starred) params.set("starred", "true");
  if (query.range !== undefined) {
    const minuteMs = Math.floor(nowMs / 60_000) * 60_000;
    params.set("from", new Date(minuteMs - ranges[query.range].seconds * 1_000).toISOString());
  } else {
    if (query.from !== "") params.set("from", query.from);
    if (query.before !== "") params.set("before", query.before);
  }
  return `/runs?${params.toString()}`;
}

/** Whether it lists anything but all runs, in whichever order. */
export function isFiltered(query: ListQuery): boolean {
  const { sort, order } = query;
  return pathOfList({ ...query, after: "" }) !== pathOfList({ ...everything, sort, order });
}

function statesOf(state: string): readonly string[] {
  if (state === "under_way") return stateNames.filter(isUnderWay);
  if (state === "over") return stateNames.filter((name: RunListItem["state"]) => !isUnderWay(name));
  return state === "" ? [] : [state];
}

function timeOrNothing(text: string): string {
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? "" : new Date(timeMs).toISOString();
}
