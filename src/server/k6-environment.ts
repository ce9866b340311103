/**
 * What k6 finds in its environment so that it talks to this server, and to nobody else.
 *
 * A variable that is missing here is one by which k6 goes to its maker's cloud, with the user's token: both hosts
 * (different commands use either), the tail of the logs, traces, the build service for extensions, the usage report.
 *
 * Source: k6, `cloudapi/config.go`, `cmd/state/state.go`, `internal/cmd/report.go`, `output/cloud/expv2/output.go`.
 */

export interface K6Target {
  /** Of the server as k6 reaches it; a path is kept. */
  readonly server: string;
  /** Left out where it is not known. */
  readonly token?: string | undefined;
}

/** k6 refuses to start without a stack and a project; the server has one stack, and this is its first project. */
const stackId = 1;
const projectId = 1;

/** Names and values, in the order in which people read them. */
export function k6Environment({ server, token }: K6Target): readonly (readonly [string, string])[] {
  const base = withoutSlash(server);
  return [
    ["K6_CLOUD_HOST", base],
    ["K6_CLOUD_HOST_V6", base],
    ["K6_CLOUD_WEB_APP_URL", base],
    ["K6_CLOUD_STACK_URL", base],
    ["K6_CLOUD_LOGS_TAIL_URL", `${base.replace(/^http/i, "ws")}/api/v1/tail`],
    ["K6_CLOUD_TRACES_ENABLED", "false"],
    ...(token === undefined ? [] : ([["K6_CLOUD_TOKEN", token]] as const)),
    ["K6_CLOUD_STACK_ID", String(stackId)],
    ["K6_CLOUD_PROJECT_ID", String(projectId)],
    ["K6_NO_USAGE_REPORT", "true"],
    ["K6_AUTO_EXTENSION_RESOLUTION", "false"],
  ];
}

/**
 * Beside the above, what makes k6 push to a run that exists: `k6 run --out cloud` of any version, and
 * `k6 cloud run --local-execution` from v2.2 on, which reads the two URLs.
 */
export function k6RunEnvironment({
  server,
  runId,
  token,
}: {
  readonly server: string;
  readonly runId: number;
  readonly token: string;
}): readonly (readonly [string, string])[] {
  const base = withoutSlash(server);
  return [
    ...k6Environment({ server, token }),
    ["K6_CLOUD_PUSH_REF_ID", String(runId)],
    ["K6_CLOUD_STOP_ON_ERROR", "true"],
    ["K6_CLOUD_METRICS_PUSH_URL", `${base}/ingest/${runId}/metrics`],
    ["K6_CLOUD_LOGS_PUSH_URL", `${base}/ingest/${runId}/logs`],
    ["K6_CLOUD_TEST_RUN_TOKEN", token],
  ];
}

/** k6 puts paths behind the host as they are: a slash at its end would become two. */
function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
