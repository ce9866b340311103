/**
 * Takes the console lines of a run, `/ingest/ID/logs`, in the form in which Loki takes them.
 *
 *     {"streams": [{"stream": {"level": "info", ...labels}, "values": [["<Unix ns>", "<line>"], ...]}]}
 *
 * Nanoseconds are beyond what a number can hold. k6 waits for the answer for one push period, and does not ask again.
 *
 * Source: k6 `internal/log/loki.go` (v2.2.0); Grafana Loki, "HTTP API", `POST /loki/api/v1/push`.
 */
import type { FastifyPluginAsync } from "fastify";
import { z } from "zod";
import type { LogLine } from "../../runs/run-service.ts";
import { pushersOnly } from "./authorize.ts";
import { type CloudApiOptions, limits } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { acceptJson, idOf, readBody } from "./read-request.ts";

const lokiPush = z.object({
  streams: z.array(
    z.object({
      stream: z.record(z.string(), z.string()),
      // 2^63 nanoseconds have 19 digits. Loki knows of a third element.
      values: z.array(z.tuple([z.string().regex(/^\d{1,19}$/), z.string()], z.unknown())),
    }),
  ),
});

export function logRoutes({ service, authenticator }: CloudApiOptions): FastifyPluginAsync {
  return async (app) => {
    acceptJson(app, limits.logs);
    app.post("/:id/logs", { onRequest: pushersOnly(authenticator) }, async (request, reply) => {
      const id = idOf(request);
      const isKnown = await service.log(id, toLogLines(readBody(lokiPush, request.body)));
      if (!isKnown) throw new ApiError(404, `there is no test run ${id}`);
      return await reply.code(204).send();
    });
  };
}

function toLogLines({ streams }: z.infer<typeof lokiPush>): LogLine[] {
  return streams.flatMap(({ stream: { level = "info", ...labels }, values }) =>
    values.map(([timeNs, message]) => ({ timeNs: BigInt(timeNs), level, message, labels })),
  );
}
