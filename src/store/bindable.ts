/**
 * Makes values of queries into what both databases take, so that no text from outside can make one fail.
 *
 * NUL becomes U+FFFD: Postgres refuses it in a text, SQLite reads a text only up to it. A boolean becomes 0 or 1: libsql
 * 0.5 would panic and end the process.
 */
import {
  OperationNodeTransformer,
  type KyselyPlugin,
  type PrimitiveValueListNode,
  type ValueNode,
} from "kysely";

class BindableValues extends OperationNodeTransformer {
  protected override transformValue(node: ValueNode): ValueNode {
    return { ...node, value: toBindable(node.value) };
  }

  protected override transformPrimitiveValueList(
    node: PrimitiveValueListNode,
  ): PrimitiveValueListNode {
    return { ...node, values: node.values.map(toBindable) };
  }
}

const transformer = new BindableValues();

export const bindableValues: KyselyPlugin = {
  transformQuery: ({ node }) => transformer.transformNode(node),
  transformResult: ({ result }) => Promise.resolve(result),
};

function toBindable(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value;
}
