/**
 * k6's v6 API, `/cloud/v6`: login, lists, tests, and the state of a run.
 *
 * In:  requests of k6 v2.x, and the login of v1.6 to v1.8; any project id: scripts bring those of other clouds.
 * Out: complete objects of `v6-objects.ts`. Remote execution is refused at its first request.
 *
 * Source: k6 `internal/cloudapi/v6/api.go`, `client.go` (v2.2.0).
 */
import multipart from "@fastify/multipart";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { z } from "zod";
import { admit, principalOf, pushersOnly, runOf, usersOnly } from "./authorize.ts";
import { type CloudApiOptions, limits } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { acceptJson, idOf, partsOf, readBody, testName } from "./read-request.ts";
import { refuseRemoteExecution } from "./remote-execution.ts";
import { stackId, toV6LoadTest, toV6Project, toV6TestRun } from "./v6-objects.ts";

const defaultProjectId = 1;

/** k6 asks for pages of 1 000. */
const pageQuery = z.object({
  $skip: z.coerce.number().int().min(0).default(0),
  $top: z.coerce.number().int().min(1).max(1_000).default(1_000),
  name: testName.optional(),
});

export function v6Routes(options: CloudApiOptions): FastifyPluginAsync {
  const { service, repository, authenticator, admission, clock } = options;
  const mayPush = { onRequest: usersOnly(authenticator, "push") };
  const mayRead = { onRequest: usersOnly(authenticator, "read") };
  return async (app) => {
    acceptJson(app, limits.json);
    await app.register(multipart, {
      limits: { fields: 10, fieldSize: 10_000, fileSize: 1, files: 1 },
    });

    app.get("/auth", mayPush, async () => ({
      stack_id: stackId,
      default_project_id: defaultProjectId,
    }));

    app.get("/projects", mayRead, async (request) => {
      const projects = await repository.projects();
      return toPage(projects.map(toV6Project), request);
    });

    // Nothing can be run on any.
    app.get("/load_zones", mayRead, async () => ({ value: [] }));

    app.get("/projects/:id/load_tests", mayRead, async (request) => {
      const { name } = readBody(pageQuery, request.query);
      const tests = await repository.tests(idOf(request), name);
      return toPage(tests.map(toV6LoadTest), request);
    });

    // Repeated by k6 without a key: the same name is the same test.
    app.post("/projects/:id/load_tests", mayPush, async (request, reply) => {
      const projectId = idOf(request);
      const name = await nameOf(request);
      const [known] = await repository.tests(projectId, name);
      if (known) return toV6LoadTest(known);
      admit("test", admission, request, reply);
      const nowMs = clock.nowMs();
      await repository.ensureProject(projectId, nowMs);
      return toV6LoadTest(await repository.ensureTest(projectId, name, nowMs));
    });

    app.get("/test_runs/:id", { onRequest: pushersOnly(authenticator) }, async (request) =>
      toV6TestRun(await runOf(request, repository), clock.nowMs()),
    );

    app.post("/test_runs/:id/abort", mayPush, async (request, reply) => {
      const { id } = await runOf(request, repository);
      switch (await service.stop(id, principalOf(request).name)) {
        case "stopping":
          return await reply.code(204).send();
        case "over":
          throw new ApiError(409, `test run ${id} is over`);
        case "unstoppable":
          throw new ApiError(
            409,
            `k6 offers no way to stop test run ${id} from here: press Ctrl-C where it runs`,
          );
        case "unknown_run":
          throw new ApiError(404, `there is no test run ${id}`);
      }
    });

    for (const url of ["/validate_options", "/load_tests/:id/start"]) {
      app.post(url, mayPush, refuseRemoteExecution);
    }
    app.route({
      method: "PUT",
      url: "/load_tests/:id/script",
      ...mayPush,
      preParsing: refuseRemoteExecution,
      handler: refuseRemoteExecution,
    });
  };
}

function toPage(items: readonly object[], request: FastifyRequest): object {
  const { $skip, $top } = readBody(pageQuery, request.query);
  const value = items.slice($skip, $skip + $top);
  const rest = items.length - $skip - value.length;
  // k6 takes it for yes or no, and counts by itself.
  const next = rest > 0 ? { "@nextLink": `?$skip=${$skip + $top}&$top=${$top}` } : {};
  return { "@count": items.length, ...next, value };
}

/** Of a form with `name`; with a `script`, the load is to be made here. */
async function nameOf(request: FastifyRequest): Promise<string> {
  let name: unknown;
  for await (const part of partsOf(request)) {
    if (part.type === "file") refuseRemoteExecution();
    if (part.fieldname === "name") name = part.value;
  }
  return readBody(z.object({ name: testName }), { name }).name;
}
