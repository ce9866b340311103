/**
 * What is wrong with an OpenAPI document, as far as ours goes: its objects, their required fields, the words of its
 * schemas. Source: OpenAPI Specification 3.0.3, section 4.7.
 */
import { z } from "zod";

/** 4.7.24: a null is `nullable`; there is no `const`, and no list of types. */
const schema: z.ZodType = z.strictObject({
  type: z.enum(["array", "boolean", "integer", "number", "object", "string"]).optional(),
  format: z.string().optional(),
  description: z.string().optional(),
  nullable: z.boolean().optional(),
  enum: z.array(z.unknown()).min(1).optional(),
  default: z.unknown().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  maxItems: z.int().optional(),
  minProperties: z.int().optional(),
  maxProperties: z.int().optional(),
  required: z.array(z.string()).min(1).optional(),
  get items() {
    return schema.optional();
  },
  get properties() {
    return z.record(z.string(), schema).optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), schema]).optional();
  },
});

const content = z.record(z.string().regex(/^[a-z]+\/[\w.+-]+$/), z.strictObject({ schema }));

const operation = z.strictObject({
  summary: z.string(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(["query", "path"]),
        required: z.boolean(),
        description: z.string().optional(),
        schema,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.boolean().optional(), content }).optional(),
  responses: z
    .record(
      z.string().regex(/^[1-5]\d\d$/),
      z.strictObject({ description: z.string().min(1), content: content.optional() }),
    )
    .refine((responses) => Object.keys(responses).length > 0),
});

const document = z.strictObject({
  openapi: z.string().regex(/^3\.0\.\d$/),
  info: z.strictObject({ title: z.string(), description: z.string(), version: z.string() }),
  servers: z.array(z.strictObject({ url: z.url() })),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer") }),
    ),
    schemas: z.record(z.string(), schema),
  }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(
    z.string().startsWith("/"),
    z.partialRecord(z.enum(["get", "post", "put", "patch", "delete"]), operation),
  ),
});

/** What tests look at. */
export interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly {
              readonly name: string;
              readonly in: string;
              readonly required: boolean;
            }[];
            readonly responses: Readonly<
              Record<string, { readonly content?: Readonly<Record<string, { schema: unknown }>> }>
            >;
          }
        >
      >
    >
  >;
}

/** @throws ZodError, Error with what is wrong */
export function parseOpenApi(text: string): OpenApi {
  // It has just been held to the schema.
  const parsed = document.parse(JSON.parse(text)) as unknown as OpenApi;
  for (const [path, operations] of Object.entries(parsed.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const [method, { parameters = [] }] of Object.entries(operations)) {
      const declared = parameters.filter((one) => one.in === "path");
      const names = declared.map(({ name }) => name);
      if (names.join() !== inPath.join() || declared.some(({ required }) => !required)) {
        throw new Error(`${method} ${path} declares the path parameters ${names.join() || "none"}`);
      }
    }
  }
  return parsed;
}
