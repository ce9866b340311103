/**
 * Protobuf's wire format, as far as protobufjs' reader leaves it to its caller: a field is a tag, which is its number and
 * the form of what follows, and that.
 *
 * Source: Protocol Buffers, "Encoding".
 */
import type protobuf from "protobufjs/minimal.js";

export const varint = 0;
export const double = 1;
/** A message, a text, or packed numbers: a length, then so many bytes. */
export const bytes = 2;

export function tagOf(field: number, form: number): number {
  return (field << 3) | form;
}

export function fieldOf(tag: number): number {
  return tag >>> 3;
}

export function formOf(tag: number): number {
  return tag & 7;
}

/**
 * Reads a length, and returns where what has it ends.
 *
 * @param limit The end of what it is part of.
 * @throws RangeError if it ends behind that
 */
export function endOf(reader: protobuf.Reader, limit: number): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > limit) throw new RangeError(`a field of ${length} bytes is cut off`);
  return end;
}

/** @throws RangeError if it ends behind `limit`, the end of what it is part of */
export function textOf(reader: protobuf.Reader, limit: number): string {
  const start = reader.pos;
  endOf(reader, limit);
  reader.pos = start;
  return reader.string();
}
