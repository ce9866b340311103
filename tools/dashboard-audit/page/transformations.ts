/**
 * Finds fields that a transformation names and does not get: Grafana passes over them in silence.
 *
 * In:  the frames of the queries and the transformations, in their order.
 * Out: a message per transformation that is unknown or misses a field.
 */
import {
  type DataFrame,
  type DataTransformerConfig,
  getFieldDisplayName,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";

/** Where each transformation's options name fields of its input. */
const namedFields: Record<string, (options: TransformationOptions) => (string | undefined)[]> = {
  organize: ({ renameByName = {}, excludeByName = {}, indexByName = {} }) => [
    ...Object.keys(renameByName),
    ...Object.keys(excludeByName),
    ...Object.keys(indexByName),
  ],
  sortBy: ({ sort = [] }) => sort.map(({ field }) => field),
  groupBy: ({ fields = {} }) => Object.keys(fields),
  joinByField: ({ byField }) => [byField],
  convertFieldType: ({ conversions = [] }) => conversions.map(({ targetField }) => targetField),
  filterByValue: ({ filters = [] }) => filters.map(({ fieldName }) => fieldName),
  calculateField: ({ mode, window, cumulative, unary, binary, reduce }) =>
    ({
      windowFunctions: [window?.field],
      cumulativeFunctions: [cumulative?.field],
      unary: [unary?.fieldName],
      binary: [binary?.left, binary?.right].map(operandField),
      reduceRow: reduce?.include ?? [],
    })[mode ?? "reduceRow"] ?? [],
};

interface TransformationOptions {
  renameByName?: object;
  excludeByName?: object;
  indexByName?: object;
  sort?: { field: string }[];
  fields?: object;
  byField?: string;
  conversions?: { targetField: string }[];
  filters?: { fieldName: string }[];
  mode?: string;
  window?: { field?: string };
  cumulative?: { field?: string };
  unary?: { fieldName?: string };
  binary?: { left?: unknown; right?: unknown };
  reduce?: { include?: string[] };
}

/** A field, where the operand of a calculation is not a number. */
function operandField(operand: unknown): string | undefined {
  const { matcher } = (operand ?? {}) as { matcher?: { id: string; options: string } };
  if (matcher) return matcher.id === "byName" ? matcher.options : undefined;
  const text = typeof operand === "string" ? operand : "";
  return text === "" || Number.isFinite(Number(text)) ? undefined : text;
}

export async function transformationFaults(
  transformations: readonly DataTransformerConfig[],
  frames: DataFrame[],
): Promise<string[]> {
  const faults: string[] = [];
  let input = frames;
  for (const transformation of transformations) {
    const { id, options } = transformation;
    if (!standardTransformersRegistry.getIfExists(id)) {
      faults.push(`unknown transformation ${JSON.stringify(id)}`);
      continue;
    }
    const names = new Set(
      input.flatMap((frame) =>
        frame.fields.flatMap((field) => [field.name, getFieldDisplayName(field, frame, input)]),
      ),
    );
    for (const name of namedFields[id]?.(options as TransformationOptions) ?? []) {
      if (name && names.size > 0 && !names.has(name)) {
        const given = [...names].map((other) => JSON.stringify(other)).join(", ");
        faults.push(`${id} names the field ${JSON.stringify(name)}; it gets ${given}`);
      }
    }
    input = await lastValueFrom(transformDataFrame([transformation], input));
  }
  return faults;
}
