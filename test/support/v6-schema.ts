/**
 * Reads objects of k6's v6 API as strictly as its SDK does: each required key is there, and each value of its type.
 *
 * Keys and types are those of the tables in k6-cloud-openapi-client-go, `k6/model_*.go` at v2.2.0; the SDK takes no
 * fraction for an integer, no number for a string and no null for an object that is not nullable.
 */
import { z } from "zod";

const int32 = z.int32();
const time = z.iso.datetime({ offset: true });

const statusEntry = z.object({
  type: z.enum([
    "created",
    "queued",
    "initializing",
    "running",
    "processing_metrics",
    "completed",
    "aborted",
  ]),
  entered: time,
  extra: z
    .object({
      by_user: z.string().nullable(),
      message: z.string().nullable(),
      code: int32.nullable(),
    })
    .nullish(),
});

export const v6TestRun: z.ZodType = z.object({
  id: int32,
  test_id: int32,
  project_id: int32,
  started_by: z.string().nullable(),
  created: time,
  ended: time.nullable(),
  note: z.string(),
  retention_expiry: time.nullable(),
  cost: z.null(),
  status: statusEntry.shape.type,
  status_details: statusEntry,
  status_history: z.array(statusEntry),
  distribution: z.array(z.object({ load_zone: z.string(), percent: int32 })),
  result: z.enum(["passed", "failed", "error"]).nullable(),
  result_details: z.object({ type: z.string() }).nullable(),
  options: z.record(z.string(), z.json()).nullable(),
  k6_dependencies: z.record(z.string(), z.string()).nullable(),
  k6_versions: z.record(z.string(), z.string()).nullable(),
  max_vus: int32.nullable(),
  max_browser_vus: int32.nullable(),
  estimated_duration: int32.nullable(),
  execution_duration: int32,
  is_starred: z.boolean(),
});

export const v6LoadTest: z.ZodType = z.object({
  id: int32,
  project_id: int32,
  name: z.string(),
  baseline_test_run_id: int32.nullable(),
  created: time,
  updated: time,
  k6_version: int32.nullish(),
});

export const v6LoadTestList: z.ZodType = z.object({
  value: z.array(v6LoadTest),
  "@count": int32.optional(),
  "@nextLink": z.string().optional(),
});

export const v6ProjectList: z.ZodType = z.object({
  value: z.array(
    z.object({
      id: int32,
      name: z.string(),
      is_default: z.boolean(),
      grafana_folder_uid: z.string().nullable(),
      created: time,
      updated: time,
    }),
  ),
  "@count": int32.optional(),
  "@nextLink": z.string().optional(),
});

export const v6Auth: z.ZodType = z.object({
  stack_id: int32.positive(),
  default_project_id: int32.positive(),
});

/** A target is a string or is not there: k6 panics where it is null. */
export const v6Error: z.ZodType = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z
      .array(z.object({ code: z.string(), message: z.string(), target: z.string().optional() }))
      .optional(),
  }),
});

/** As k6 takes it apart: durations are Go's. */
const duration = z.string().regex(/^\d+(?:ms|s)$/);
const wholeSeconds = z.string().regex(/^[1-9]\d*s$/);

export const startedLocalExecution: z.ZodType = z.object({
  test_run_id: z.int().positive(),
  archive_upload_url: z.url().nullable(),
  test_run_details_page_url: z.url(),
  runtime_config: z.object({
    test_run_token: z.string().min(1),
    metrics: z.object({
      push_url: z.url(),
      push_interval: duration,
      push_concurrency: int32.positive(),
      aggregation_period: wholeSeconds,
      aggregation_wait_period: wholeSeconds,
      aggregation_min_samples: int32.nullable(),
      max_samples_per_package: int32.positive(),
    }),
    logs: z.object({
      push_url: z.url(),
      tail_url: z.string(),
      limit: int32.positive(),
      push_period_seconds: wholeSeconds,
      level: z.string(),
      message_max_size: int32.positive(),
      allowed_labels: z.array(z.string()).nullable(),
    }),
    secrets: z.object({ endpoint: z.string(), response_path: z.string() }),
    traces: z.object({
      push_url: z.string(),
      traces_metadata: z.record(z.string(), z.string()),
      proto: z.string(),
    }),
    files: z.object({
      push_url: z.string(),
      screenshots_base_path: z.string(),
      headers: z.record(z.string(), z.string()),
      method: z.string(),
    }),
  }),
});

/** Of the legacy API: any other type is an error there. */
export const legacyError: z.ZodType = z.object({
  error: z.strictObject({
    code: z.int().optional(),
    message: z.string(),
    field_errors: z.record(z.string(), z.array(z.string())).optional(),
  }),
});
