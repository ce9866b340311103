/**
 * What people get wrong, and what they are told: each row is one mistake, its exit code and its message.
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spoolFolder } from "../../src/output/spool-folder.ts";
import { type PlimsollOptions, runPlimsoll, words } from "../support/plimsoll.ts";
import { startPrometheus } from "../support/prometheus.ts";
import {
  type ReceivedRequest,
  type ScriptedAnswer,
  startReceiverServer,
  storedAnswer,
} from "../support/receiver-server.ts";
import { receivedNames } from "../support/received-points.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

/** Nobody listens on the port of the multiplexer, tcpmux. */
const nowhere = "http://127.0.0.1:1";
/** Root may read and write everything, unless it is taken from it. */
const asOrdinaryUser =
  process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];

const startMs = Date.now() - 60_000;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const time = new Date(startMs).toISOString();
  const good = `{"metric":"http_reqs","type":"Point","data":{"time":"${time}","value":1,"tags":{}}}\n`;
  await mkdir(path("a-folder"));
  await writeFile(path("good.json"), good);
  await writeFile(path("script.js"), "export default function () {}\n");
  await writeFile(path("empty.json"), "");
  await writeFile(path("notes.txt"), "dear diary\n");
  await writeFile(path("closed.json"), good);
  await chmod(path("closed.json"), 0);
  await mkdir(path("closed"), { mode: 0o500 });
  await writeFile(path("broken.json.gz"), Buffer.from([0x1f, 0x8b, 0xff, 0xff]));
  await writeFile(path("not-k6"), "#!/bin/sh\necho 'not k6 v1'\n", { mode: 0o755 });
  await writeFile(path("k6"), "#!/bin/sh\necho 'k6 v2.2.0'\n", { mode: 0o755 });
  await writeFile(path("no.yaml"), "tags: [a\n");
  await writeFile(path("list.yaml"), "- testid\n");
  await writeFile(path("unknown.yaml"), "pushIntervall: 5s\n");
  await writeFile(path("rules.yaml"), "- {action: dorp, regex: '('}\n");
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Runs in a working directory that is also its home; the places in the output are given names. */
async function plimsoll(
  args: readonly string[],
  places: Readonly<Record<string, string>> = {},
  options: Partial<PlimsollOptions> = {},
) {
  const fill = (text: string) =>
    Object.entries(places).reduce((filled, [name, place]) => filled.replaceAll(name, place), text);
  const result = await runPlimsoll(args.map(fill), { folder: folder.path, ...options });
  const hide = (text: string) =>
    Object.entries({ ...places, FOLDER: folder.path })
      .reduce((hidden, [name, place]) => hidden.replaceAll(place, name), text)
      .trimEnd();
  return { ...result, stdout: hide(result.stdout), stderr: hide(result.stderr) };
}

interface Mistake {
  readonly did: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ordinaryUser?: boolean;
  readonly exitCode: number;
  /** All of standard error. */
  readonly says: string;
}

const ingest = (...args: string[]) => ["ingest", ...args, "--out", "prometheus-rw=RECEIVER"];
const run = (...args: string[]) => ["run", ...args, "--out", "prometheus-rw=RECEIVER"];
const noSample = "expected the JSON lines that k6 run --out json=FILE writes; nothing was sent";

const mistakes: readonly Mistake[] = [
  // The command line.
  {
    did: "an unknown command",
    args: ["ingset", "good.json"],
    exitCode: 2,
    says: "plimsoll: unknown command 'ingset'\n(Did you mean ingest?)",
  },
  {
    did: "an unknown option of ingest",
    args: ingest("good.json", "--folow"),
    exitCode: 2,
    says: "plimsoll: unknown option '--folow'\n(Did you mean --follow?)",
  },
  {
    did: "a misspelt option of k6",
    args: run("script.js", "--iteration", "5"),
    exitCode: 2,
    says: 'plimsoll: unknown option "--iteration" (did you mean "--iterations"?): neither "plimsoll run" nor "k6 run" has it',
  },
  {
    did: "nothing to run",
    args: run(),
    exitCode: 2,
    says: "plimsoll: missing required argument 'script|url'",
  },
  {
    did: "an unknown output, with a password in it",
    args: ["ingest", "good.json", "--out", "influxdb=http://ann:s3cret@db:8086/k6?token=s3cret"],
    exitCode: 2,
    says: 'plimsoll: unknown output "influxdb=http://********@db:8086/k6?********": expected prometheus-rw[=URL] or json=FILE',
  },
  {
    did: "the same output twice",
    args: ["ingest", "good.json", "--out", "prometheus-rw", "--out", "prometheus-rw=RECEIVER"],
    exitCode: 2,
    says: "plimsoll: --out prometheus-rw is given twice, expected it once",
  },
  {
    did: "a receiver that is no URL",
    args: ["ingest", "good.json", "--out", "prometheus-rw=prom:9090"],
    exitCode: 2,
    says: 'plimsoll: --out prometheus-rw (from flags): "prom:9090" is not a URL that can be pushed to: expected one such as "http://localhost:9090/api/v1/write"',
  },
  {
    did: "several wrong options at once",
    args: ingest("good.json", "--push-interval", "soon", "--max-series", "-1", "--tag", "x"),
    env: { PLIMSOLL_TRENDS: "nativ", PLIMSOLL_PUSH_INTERVALL: "1s" },
    exitCode: 2,
    says: [
      'plimsoll: PLIMSOLL_PUSH_INTERVALL (from environment): is not an option (did you mean "PLIMSOLL_PUSH_INTERVAL"?)',
      '--tag (from flags): item 1 has no "=" after its name',
      '--push-interval (from flags): "soon" is not a duration: expected one such as "500ms", "5s" or "1m30s"',
      'PLIMSOLL_TRENDS (from environment): "nativ" is not one of auto, native, classic, none',
      '--max-series (from flags): "-1" is not a whole number',
    ].join("\n"),
  },
  {
    did: "a dry run's form without a dry run",
    args: ingest("good.json", "--json"),
    exitCode: 2,
    says: "plimsoll: --json is for --dry-run; the report of an ingest is written by --report",
  },
  // The load of a URL.
  {
    did: "wrong numbers, durations, methods, headers and statuses",
    args: run(
      `${nowhere}/`,
      ...words("--vus 0 --rate 1.5 --duration 1minute --method HEAD --header s3cret"),
      ...words("--expect-status 2xx,999"),
    ),
    exitCode: 2,
    says: [
      'plimsoll: --vus (from flags): "0" is not a whole number from 1 upwards',
      '--duration (from flags): "1minute" is not a duration: expected one such as "500ms", "5s" or "1m30s"',
      '--rate (from flags): "1.5" is not a whole number from 1 upwards',
      '--method (from flags): "HEAD" is not a method that a URL can be loaded with: expected one of GET, POST, PUT, PATCH, DELETE, OPTIONS, TRACE',
      '--header (from flags): header 1 has no name: expected one such as "Accept: */*"',
      '--expect-status (from flags): expected status "999" is none; expected statuses from 100 to 599, classes and ranges, separated by commas, e.g. "200,201,3xx,400-404"',
    ].join("\n"),
  },
  {
    did: "a flag of k6 with a URL",
    args: run(`${nowhere}/`, "--stage", "1m:50"),
    exitCode: 2,
    says: 'plimsoll: "--stage" is for k6, and a URL is loaded by autocannon; use --vus, --duration, --rate, --method, --header, --body, --expect-status',
  },
  {
    did: "a k6 with a URL",
    args: run(`${nowhere}/`, "--k6", "FOLDER/k6"),
    exitCode: 2,
    says: 'plimsoll: "--k6" is for k6, and a URL is loaded by autocannon; use --vus, --duration, --rate, --method, --header, --body, --expect-status',
  },
  {
    did: "a flag of a URL's load with a script",
    args: run("script.js", "--expect-status", "200"),
    exitCode: 2,
    says: "plimsoll: --expect-status is for loading a URL; a script says for itself what it sends",
  },
  // Files.
  {
    did: "a directory in place of a file",
    args: ingest("a-folder"),
    exitCode: 4,
    says: `plimsoll: "a-folder" is a directory, expected a file of k6's JSON lines`,
  },
  {
    did: "a file that is not there",
    args: ingest("gone.json"),
    exitCode: 4,
    says: 'plimsoll: "gone.json" cannot be read: there is no such file',
  },
  {
    did: "a file of somebody else",
    args: ingest("closed.json"),
    ordinaryUser: true,
    exitCode: 4,
    says: 'plimsoll: "closed.json" cannot be read: permission denied',
  },
  {
    did: "an empty file",
    args: ingest("empty.json"),
    exitCode: 4,
    says: `plimsoll: "empty.json" holds no sample (lines read: 0); ${noSample}`,
  },
  {
    did: "an empty standard input",
    args: ingest("-"),
    exitCode: 4,
    says: `plimsoll: "-" holds no sample (lines read: 0); ${noSample}`,
  },
  {
    did: "a file of something else",
    args: ingest("notes.txt"),
    exitCode: 4,
    says: [
      'plimsoll: notes.txt, line 1: the line is not JSON: "dear diary"',
      `plimsoll: "notes.txt" holds no sample (lines read: 1); ${noSample}`,
    ].join("\n"),
  },
  {
    did: "a file that only begins like gzip",
    args: ingest("broken.json.gz"),
    exitCode: 4,
    says: 'plimsoll: "broken.json.gz" cannot be read: unknown compression method',
  },
  {
    did: "a report in a folder that is not there",
    args: ingest("good.json", "--report", "gone/report.json"),
    exitCode: 2,
    says: `plimsoll: --report (from flags): "gone/report.json" cannot be written: ENOENT: no such file or directory, access 'gone'`,
  },
  {
    did: "a report that is a folder, of a run",
    args: run("script.js", "--k6", "FOLDER/k6", "--report", "a-folder"),
    exitCode: 2,
    says: 'plimsoll: --report (from flags): "a-folder" cannot be written: it is a directory',
  },
  {
    did: "a configuration that is no YAML",
    args: ingest("good.json", "--config-file", "no.yaml"),
    exitCode: 2,
    says: 'plimsoll: --config-file (from no.yaml): "no.yaml" is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 1',
  },
  {
    did: "a configuration that is no map",
    args: ingest("good.json", "--config-file", "list.yaml"),
    exitCode: 2,
    says: 'plimsoll: --config-file (from list.yaml): "list.yaml" is not a map of options: expected "key: value"',
  },
  {
    did: "a misspelt key in the configuration",
    args: ingest("good.json", "--config-file", "unknown.yaml"),
    exitCode: 2,
    says: 'plimsoll: pushIntervall (from unknown.yaml): is not an option (did you mean "pushInterval"?)',
  },
  {
    did: "a configuration that is not there",
    args: ingest("good.json", "--config-file", "gone.yaml"),
    exitCode: 2,
    says: `plimsoll: --config-file (from gone.yaml): cannot read "FOLDER/gone.yaml": ENOENT: no such file or directory, open 'FOLDER/gone.yaml'`,
  },
  {
    did: "wrong relabel rules",
    args: ingest("good.json", "--relabel-config", "rules.yaml"),
    exitCode: 2,
    says: [
      'plimsoll: write_relabel_configs[0].action (from FOLDER/rules.yaml): "dorp" is not one of replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase',
      'write_relabel_configs[0].regex (from FOLDER/rules.yaml): "(" is not RE2 syntax: missing closing )',
    ].join("\n"),
  },
  // k6.
  {
    did: "a script that is not there",
    args: run("gone.js", "--k6", "FOLDER/k6"),
    exitCode: 4,
    says: `plimsoll: script "gone.js" cannot be read: ENOENT: no such file or directory, access 'gone.js'`,
  },
  {
    did: "a script without a k6 on PATH",
    args: run("script.js"),
    env: { PATH: "/nowhere" },
    exitCode: 4,
    says: 'plimsoll: no "k6" on PATH to run the script with; install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/), or name its file with --k6 PATH; a URL in place of the script needs no k6',
  },
  {
    did: "a k6 that is something else",
    args: run("script.js", "--k6", "FOLDER/not-k6"),
    exitCode: 4,
    says: `plimsoll: "FOLDER/not-k6" is not k6: "version" printed "not k6 v1\\n", expected a line such as "k6 v2.2.0"`,
  },
];

describe("before anything is started", () => {
  it.each(mistakes)("tells whoever gives $did", async (mistake) => {
    await using receiver = await startReceiverServer();
    const { args, env = {}, ordinaryUser, exitCode, says } = mistake;
    const places = { FOLDER: folder.path, RECEIVER: receiver.url };
    const options = { env, ...(ordinaryUser && { wrapper: asOrdinaryUser }) };
    const result = await plimsoll(args, places, options);
    expect(result).toMatchObject({ stderr: says, exitCode, stdout: "" });
    expect(receiver.requests).toEqual([]);
    expect(existsSync(join(folder.path, ".local"))).toBe(false);
  });

  it("has a name for each mistake", () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(30);
    expect(new Set(mistakes.map(({ did }) => did)).size).toBe(mistakes.length);
  });
});

interface UnusableReceiver {
  readonly receiver: string;
  readonly answer: ScriptedAnswer | ((request: ReceivedRequest) => ScriptedAnswer);
  readonly args?: readonly string[];
  readonly says: string;
}

const unusableReceivers: readonly UnusableReceiver[] = [
  {
    receiver: "wants another password",
    answer: ({ headers }) =>
      headers.authorization === `Basic ${Buffer.from("ann:right").toString("base64")}`
        ? { status: 204 }
        : { status: 401, body: "Unauthorized\n" },
    args: ["--remote-write-username", "ann", "--remote-write-password", "s3cret"],
    says: "HTTP 401: Unauthorized; the user name, password or token was refused; nothing was started",
  },
  {
    receiver: "does not let this token in",
    answer: { status: 403, body: "token s3cret may only read" },
    args: ["--remote-write-bearer-token", "s3cret"],
    says: "HTTP 403: token *** may only read; the user name, password or token was refused; nothing was started",
  },
  {
    receiver: "has another path",
    answer: { status: 404, body: "404 page not found\n" },
    says: "HTTP 404: 404 page not found; nothing takes remote write at this path; for Prometheus it is /api/v1/write, and Prometheus must be started with --web.enable-remote-write-receiver; for Mimir it is /api/v1/push; nothing was started",
  },
  {
    receiver: "answers with a login page",
    answer: { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Log in</h1>" },
    says: "HTTP 200 with an HTML page: a web page answers at this URL (a login page or a wrong path?), so nothing was stored; nothing was started",
  },
  {
    receiver: "redirects to a login page",
    answer: { status: 302, headers: { Location: "https://sso.example/login?from=s3cret" } },
    says: 'HTTP 302: a redirect to "https://sso.example/login"; this is a configuration error, set the URL to the receiver itself; nothing was started',
  },
  {
    receiver: "stores no native histograms, which --trends native asks for",
    answer: (request) => {
      const histograms = request.series.some((series) => series.histograms.length > 0);
      return histograms ? { status: 400, body: "no native histograms" } : storedAnswer(request);
    },
    args: ["--remote-write-protocol", "1", "--trends", "native"],
    says: "does not store native histograms, and --trends native asks for them; use --trends auto or --trends classic, or start Prometheus with --enable-feature=native-histograms",
  },
  {
    receiver: "is broken, for longer than it is waited for",
    answer: { status: 503, body: "no leader" },
    says: "HTTP 503: no leader; nothing was started (--no-preflight starts all the same and keeps the samples in the spool)",
  },
];

describe("where the receiver cannot be used", () => {
  const works = (url: string) => `plimsoll: remote write to "${url}" does not work: `;

  it.each(unusableReceivers)(
    "starts nothing if it $receiver",
    async ({ answer, args = [], says }) => {
      const defaultAnswer = typeof answer === "function" ? answer : () => answer;
      await using receiver = await startReceiverServer({ defaultAnswer });
      const result = await plimsoll(ingest("good.json", ...args), { RECEIVER: receiver.url });
      const begin = says.startsWith("HTTP") ? works("RECEIVER") : "plimsoll: RECEIVER ";
      expect(result.stderr.split("\n").at(-1)).toBe(begin + says);
      expect(result.stderr).not.toContain("s3cret");
      expect(result.exitCode).toBe(4);
      expect(receivedNames(receiver.requests)).not.toContain("k6_http_reqs_total");
      expect(existsSync(join(folder.path, ".local"))).toBe(false);
    },
  );

  it.each([
    {
      place: "a port where nothing listens",
      url: `${nowhere}/api/v1/write`,
      says: "nothing listens there; is the receiver running, and is the port right? (ECONNREFUSED)",
    },
    {
      place: "a host that does not exist",
      // RFC 2606 keeps the domain free.
      url: "http://prom.invalid/api/v1/write",
      says: /the host name cannot be resolved; is it spelled right, and is the name server reachable\? \((ENOTFOUND|EAI_AGAIN)\)/,
    },
    {
      place: "a port that does not speak TLS",
      url: "https://HOST/api/v1/write",
      says: "no secure connection; does the receiver speak TLS, does the certificate match the host name, and is its authority known (CA option)?",
    },
  ])("starts nothing at $place", async ({ url, says }) => {
    await using receiver = await startReceiverServer();
    const { host } = new URL(receiver.url);
    const args = ["ingest", "good.json", "--out", `prometheus-rw=${url}`];
    const result = await plimsoll(args, { HOST: host });
    expect(result.stderr).toContain(works(url));
    if (typeof says === "string") expect(result.stderr).toContain(says);
    else expect(result.stderr).toMatch(says);
    expect(result.stderr.split("\n")).toHaveLength(1);
    expect(result.exitCode).toBe(4);
  });
});

describeWithTool("prometheus-2", "Prometheus 2", (program) => {
  it("is told how to start it where its receiver is off", async () => {
    await using prometheus = await startPrometheus({ program, remoteWrite: false });
    const result = await plimsoll(ingest("good.json"), { RECEIVER: prometheus.writeUrl });
    expect(result).toMatchObject({ exitCode: 4 });
    expect(result.stderr).toContain('remote write to "RECEIVER" does not work: HTTP 404: ');
    expect(result.stderr).toContain("must be started with --web.enable-remote-write-receiver");
  });

  it("is told which feature it lacks where --trends native is asked of it", async () => {
    await using prometheus = await startPrometheus({ program });
    const result = await plimsoll(ingest("good.json", "--trends", "native"), {
      RECEIVER: prometheus.writeUrl,
    });
    expect(result).toMatchObject({ exitCode: 4 });
    expect(result.stderr).toContain("--enable-feature=native-histograms");
  });

  it("is sent nothing that it finds too old, and takes an old run where it holds nothing newer", async () => {
    const time = new Date(startMs - 3 * 3_600_000).toISOString();
    const line = `{"metric":"http_reqs","type":"Point","data":{"time":"${time}","value":1,"tags":{}}}\n`;
    await writeFile(join(folder.path, "old.json"), line);
    await using prometheus = await startPrometheus({ program });
    const places = { RECEIVER: prometheus.writeUrl };
    expect(await plimsoll(ingest("old.json"), places)).toMatchObject({ exitCode: 0 });
    expect(await plimsoll(ingest("good.json"), places)).toMatchObject({ exitCode: 0 });
    const result = await plimsoll(ingest("old.json", "--testid", "again"), places);
    expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    expect(result.stderr).toContain("out of bounds");
    expect(result.stderr).toContain("storage.tsdb.out_of_order_time_window; nothing was started");
  });
});

describe("where a place on this machine cannot be used", () => {
  it.each([
    {
      did: "a spool in a folder of somebody else",
      args: ingest("good.json", "--spool-dir", "closed"),
      exitCode: 4,
      says: `plimsoll: spool folder "SPOOL" cannot be used: EACCES: permission denied, mkdir 'SPOOL'; expected a folder that this user can read and write`,
    },
    {
      did: "an address for its metrics that is taken",
      args: ingest("good.json", "--metrics-listen", "127.0.0.1:TAKEN"),
      exitCode: 2,
      says: "plimsoll: cannot serve metrics on 127.0.0.1:TAKEN: listen EADDRINUSE: address already in use 127.0.0.1:TAKEN; name another address with --metrics-listen, port 0 for any free one",
    },
    {
      did: "a file for its samples in a folder that is not there",
      args: [...run(`${nowhere}/`), "--out", "json=gone/samples.json"],
      exitCode: 4,
      says: `plimsoll: "gone/samples.json" cannot be written: ENOENT: no such file or directory, open 'gone/samples.json'`,
    },
    {
      did: "a URL at which nothing listens",
      args: run(`${nowhere}/`, "--quiet"),
      exitCode: 4,
      says: `plimsoll: "${nowhere}" cannot be loaded: connect ECONNREFUSED 127.0.0.1:1; no request was made`,
    },
  ])("sends no sample of whoever gives $did", async ({ args, exitCode, says }) => {
    await using receiver = await startReceiverServer();
    // Taken, too.
    const { port } = new URL(receiver.url);
    const time = new Date(startMs).toISOString().replace(/[-:]|\.\d+Z$/g, "");
    const result = await plimsoll(
      args,
      {
        RECEIVER: receiver.url,
        TAKEN: port,
        SPOOL: spoolFolder(join(folder.path, "closed"), `good-${time}`, receiver.url),
      },
      { wrapper: asOrdinaryUser },
    );
    expect(result).toMatchObject({ stderr: says, exitCode, stdout: "" });
    expect(receivedNames(receiver.requests)).toEqual([
      "plimsoll_probe",
      "plimsoll_probe_histogram",
    ]);
    expect(receiver.violations).toEqual([]);
  });
});

describeWithTool("k6-2", "with k6", (k6) => {
  it.each([
    {
      did: "a script with a syntax error",
      script: "export default function () {",
      args: [],
      exitCode: 107,
      says: "Unexpected end of input",
      state: "aborted_by_script_error",
    },
    {
      did: "an import that is not there",
      script: 'import "./gone.js"; export default function () {}',
      args: [],
      exitCode: 107,
      says: "couldn't be found on local disk",
      state: "aborted_by_script_error",
    },
    {
      did: "an output that k6 does not know",
      script: "export default function () {}",
      args: ["--out", "nosuch"],
      exitCode: 255,
      says: "invalid output type 'nosuch'",
      state: "aborted_by_system",
    },
    {
      did: "a number of VUs that is none",
      script: "export default function () {}",
      args: ["--vus", "many"],
      exitCode: 255,
      says: 'invalid argument \\"many\\"',
      state: "aborted_by_system",
    },
  ])("hands on k6's message and exit code for $did", async ({ script, args, ...expected }) => {
    await using receiver = await startReceiverServer();
    const { exitCode, says, state } = expected;
    await writeFile(join(folder.path, "wrong.js"), script);
    const result = await plimsoll(
      run("wrong.js", "--k6", k6, ...args, "--report", "wrong.report"),
      {
        RECEIVER: receiver.url,
      },
    );
    expect(result.stderr).toContain(says);
    expect(result.exitCode).toBe(exitCode);
    const report = await readReport(join(folder.path, "wrong.report"));
    expect(report).toMatchObject({ state, generatorExitCode: exitCode });
    expectAccounted(report);
  });
});
