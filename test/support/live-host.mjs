/**
 * A process that can be killed: the built `RunService` over the embedded repository, asked by HTTP. Its one argument is
 * `{ port, dataDir, flags, service }` in JSON.
 *
 *     POST /start  POST /push/ID?instance=&key=  POST /end/ID  POST /stop/ID  POST /log/ID  PUT /archive/ID  GET /run/ID
 *
 * SIGTERM closes the service in an orderly way.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import { buffer, json } from "node:stream/consumers";
import { systemClock } from "../../dist/clock.js";
import { resolveOptions } from "../../dist/config/resolve-options.js";
import { LiveRunService } from "../../dist/server/live/run-service.js";
import { openRepository } from "../../dist/store/open-repository.js";

const { port, dataDir, flags, service: own } = JSON.parse(process.argv[2] ?? "{}");
const given = Object.entries({ ...flags, dataDir });
const { values } = resolveOptions({
  flags: Object.fromEntries(given.map(([name, value]) => [name, { flag: name, value }])),
});
const repository = await openRepository({ dataDir, clock: systemClock });
const service = await LiveRunService.open({
  repository,
  outputs: [values],
  dataDir,
  peerUrl: "",
  drainTimeoutMs: values.drainTimeoutMs,
  createToken: () => {
    const token = `plr_${randomBytes(32).toString("base64url")}`;
    return { token, hash: createHash("sha256").update(token).digest("hex") };
  },
  clock: systemClock,
  random: Math.random,
  userAgent: "plimsoll/test",
  onNotice: (text, run) => process.stderr.write(`${run?.testid ?? "server"}: ${text}\n`),
  ...own,
});

const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(JSON.stringify(body ?? null)),
    (error) => {
      response.writeHead(error.code === "INPUT_UNREADABLE" ? 400 : 500);
      response.end(JSON.stringify({ code: error.code, message: String(error.stack) }));
    },
  );
});

async function answer(request) {
  const url = new URL(request.url, "http://host");
  const [what, id] = url.pathname.slice(1).split("/");
  const runId = Number(id);
  const query = Object.fromEntries(url.searchParams);
  switch (what) {
    case "start":
      return await service.start(await json(request));
    case "push":
      return await service.push({ ...query, runId, body: await buffer(request) });
    case "end":
      return await service.end(runId, await json(request));
    case "stop":
      return await service.stop(runId, await json(request));
    case "log": {
      const lines = await json(request);
      return await service.log(
        runId,
        lines.map((line) => ({ ...line, timeNs: BigInt(line.timeNs) })),
      );
    }
    case "archive":
      return await service.saveArchive(runId, request);
    case "run":
      return await repository.run(runId);
    default:
      return "ready";
  }
}

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void service
    .close()
    .then(() => repository[Symbol.asyncDispose]())
    .then(() => process.exit(0));
});
server.listen(port, "127.0.0.1");
