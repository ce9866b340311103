/**
 * Protobuf messages by their schema, for what is seldom done: protobufjs' parser and its reflection are loaded when they are
 * first asked for, and a run that goes well never does.
 */
import { createRequire } from "node:module";
import type protobuf from "protobufjs";

const require = createRequire(import.meta.url);

/** @returns what finds a message of the schema by its name; fields keep the names that they have there */
export function messageTypes(schema: string): (name: string) => protobuf.Type {
  let root: protobuf.Root | undefined;
  return (name) => {
    root ??= (require("protobufjs") as typeof protobuf).parse(schema, { keepCase: true }).root;
    return root.lookupType(name);
  };
}
