/**
 * Bodies as a hostile or broken generator might push them: made of good ones, so that most get past the first byte.
 */
import snappy from "snappy";
import { encodeMetricSet } from "./encode-metric-set.ts";

/** A change of some bytes. Places are shares of the length, from 0 to 1, so that they fit whatever came before. */
export interface Mutation {
  readonly kind: (typeof mutationKinds)[number];
  readonly place: number;
  /** Of a second place, or of how much. */
  readonly amount: number;
  readonly bytes: Uint8Array;
}

export const mutationKinds = [
  /** Up to 8 bytes are replaced by `bytes`. */
  "replace",
  "insert",
  "cut_end",
  "remove",
  /** What is at the one place comes once more at the other. */
  "copy",
  /** A length or a number becomes as large as a varint of five or ten bytes. */
  "huge_varint",
] as const;

export interface BrokenBody {
  /** Which of the good bodies, from 0 to 1; above 0.9 there are only `noise` bytes. */
  readonly base: number;
  readonly noise: Uint8Array;
  readonly mutations: readonly Mutation[];
  /** Whether what is broken is the protobuf inside, or the block around it. */
  readonly isInside: boolean;
}

const second = 1_787_000_000;
const tags = { scenario: "default", name: "/products/{id}", status: "200", method: "GET" };
const some = (values: readonly number[]) => [
  { seconds: second, values },
  { seconds: second + 1, values: values.slice(1) },
];

/** Of each type, alone and together. */
const good: readonly Buffer[] = [
  encodeMetricSet([
    { name: "http_reqs", type: "counter", series: [{ tags, values: some([1, 2]) }] },
  ]),
  encodeMetricSet([{ name: "vus", type: "gauge", series: [{ tags: {}, values: some([9, 3]) }] }]),
  encodeMetricSet([{ name: "checks", type: "rate", series: [{ tags, values: some([1, 0, 1]) }] }]),
  encodeMetricSet([
    {
      name: "http_req_duration",
      type: "trend",
      series: [{ tags, values: some([12.5, 13, -1, 300.2, 1e6, 0]) }],
    },
  ]),
  encodeMetricSet([
    { name: "http_reqs", type: "counter", series: [{ tags, values: some([1, 2]) }] },
    {
      name: "own",
      type: "trend",
      series: [
        { tags, values: some([1, 2, 3, 4, 5]) },
        { tags: { ...tags, name: "b" }, values: some([7]) },
      ],
    },
  ]),
];

export function brokenBody({ base, noise, mutations, isInside }: BrokenBody): Buffer {
  const chosen = good[Math.floor((base / 0.9) * good.length)];
  if (chosen === undefined) {
    return isInside ? snappy.compressSync(Buffer.from(noise)) : Buffer.from(noise);
  }
  if (!isInside) return mutations.reduce<Buffer>(mutate, chosen);
  // With `asBuffer` it is never a string.
  const inside = snappy.uncompressSync(chosen, { asBuffer: true }) as Buffer;
  return snappy.compressSync(mutations.reduce<Buffer>(mutate, inside));
}

/** @param random Numbers from 0 up to, not including, 1. */
export function randomBreak(random: () => number): BrokenBody {
  const bytes = (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => Math.floor(random() * 256));
  return {
    base: random(),
    noise: bytes(Math.floor(random() * 64)),
    mutations: Array.from({ length: Math.floor(random() * 5) }, () => ({
      kind: mutationKinds[Math.floor(random() * mutationKinds.length)] ?? "replace",
      place: random(),
      amount: random(),
      bytes: bytes(1 + Math.floor(random() * 8)),
    })),
    isInside: random() < 0.7,
  };
}

function mutate(body: Buffer, { kind, place, amount, bytes }: Mutation): Buffer {
  const at = Math.floor(place * body.length);
  const other = Math.floor(amount * body.length);
  const splice = (length: number, middle: Uint8Array): Buffer =>
    Buffer.concat([body.subarray(0, at), middle, body.subarray(at + length)]);
  switch (kind) {
    case "replace":
      return splice(bytes.length, bytes);
    case "insert":
      return splice(0, bytes);
    case "cut_end":
      return body.subarray(0, at);
    case "remove":
      return splice(1 + Math.floor(amount * 16), new Uint8Array());
    case "copy":
      return splice(0, body.subarray(other, other + 64));
    case "huge_varint": {
      const length = amount < 0.5 ? 5 : 10;
      const varint = new Uint8Array(length).fill(0xff);
      varint[length - 1] = length === 5 ? 0x0f : 0x01;
      return splice(1, varint);
    }
  }
}
