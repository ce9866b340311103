/**
 * Authentication as users meet it: the built command, receivers that insist, credentials that change while it runs, and
 * no secret anywhere but in the request.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, describeWithOpenssl } from "../support/certificates.ts";
import { awsAuthorization } from "../support/aws-signer.ts";
import { startFormServer } from "../support/form-server.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { runPlimsoll, startPlimsoll, words, type PlimsollProcess } from "../support/plimsoll.ts";
import { receivedValue } from "../support/received-points.ts";
import {
  startReceiverServer,
  storedAnswer,
  type ReceivedRequest,
  type ReceiverServer,
} from "../support/receiver-server.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { temporaryCredentials } from "../support/token-service.ts";
import { describeWithTool } from "../support/tools.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const metric = `${JSON.stringify({ type: "Metric", metric: "hits", data: { name: "hits", type: "counter", contains: "default" } })}\n`;

/** One hit, as k6 writes it. */
const hit = () =>
  `${JSON.stringify({ type: "Point", metric: "hits", data: { time: new Date().toISOString(), value: 1, tags: {} } })}\n`;

type Env = Readonly<Record<string, string>>;

/** `plimsoll ingest -` with options in variables, as CI sets them. */
const startIngest = (env: Env, args: readonly string[] = []) =>
  startPlimsoll(["ingest", "-", ...args], { folder: folder.path, env, isStdinOpen: true });

/** Every hit has come, none twice. */
async function expectHits(receiver: ReceiverServer, count: number): Promise<void> {
  await expect
    .poll(() => receivedValue(receiver.requests.filter(isStored), { __name__: "k6_hits_total" }), {
      timeout: 20_000,
    })
    .toBe(count);
}

const stored = new WeakSet<ReceivedRequest>();
const isStored = (request: ReceivedRequest) => stored.has(request);

/** Stores what `accepts` says, and refuses all else. */
const insist = (accepts: (request: ReceivedRequest) => boolean) => (request: ReceivedRequest) => {
  if (!accepts(request)) return { status: 401, body: "who are you?" };
  stored.add(request);
  return storedAnswer(request);
};

it("takes a password file that changes during the run, without losing a sample", async () => {
  const file = join(folder.path, "password");
  await writeFile(file, "one\n");
  const valid = new Set(["one"]);
  const passwordOf = ({ headers }: ReceivedRequest) =>
    Buffer.from(headers.authorization?.slice("Basic ".length) ?? "", "base64")
      .toString()
      .split(":")[1] ?? "";
  await using receiver = await startReceiverServer({
    defaultAnswer: insist((request) => valid.has(passwordOf(request))),
  });
  await using plimsoll = startIngest({
    PLIMSOLL_REMOTE_WRITE_URL: receiver.url,
    PLIMSOLL_REMOTE_WRITE_USERNAME: "ann",
    PLIMSOLL_REMOTE_WRITE_PASSWORD_FILE: file,
    PLIMSOLL_TESTID: "rotation",
    PLIMSOLL_PUSH_INTERVAL: "200ms",
  });
  plimsoll.stdin.write(metric + hit());
  await expectHits(receiver, 1);
  valid.add("two");
  // As a secret store does it: whoever reads meanwhile has one of the two.
  await writeFile(`${file}.new`, "two\n");
  await rename(`${file}.new`, file);
  plimsoll.stdin.write(hit());
  await expect.poll(() => receiver.requests.map(passwordOf), { timeout: 20_000 }).toContain("two");
  valid.delete("one");
  plimsoll.stdin.end(hit());
  expect(await plimsoll.result).toMatchObject({ exitCode: 0 });
  await expectHits(receiver, 3);
  expect(receiver.requests.every(isStored)).toBe(true);
});

it("gets a token for OAuth2, and names what is wrong when it gets none", async () => {
  let isRefused = false;
  await using endpoint = await startFormServer(() =>
    isRefused
      ? { status: 401, body: '{"error":"invalid_client","error_description":"no such s3cret"}' }
      : { status: 200, body: '{"access_token":"tok-1","token_type":"Bearer","expires_in":3600}' },
  );
  await using receiver = await startReceiverServer({
    defaultAnswer: insist(({ headers }) => headers.authorization === "Bearer tok-1"),
  });
  const env = {
    PLIMSOLL_REMOTE_WRITE_URL: receiver.url,
    PLIMSOLL_REMOTE_WRITE_OAUTH2_CLIENT_ID: "plimsoll",
    PLIMSOLL_REMOTE_WRITE_OAUTH2_CLIENT_SECRET: "s3cret",
    PLIMSOLL_REMOTE_WRITE_OAUTH2_TOKEN_URL: `${endpoint.url}/token`,
    PLIMSOLL_REMOTE_WRITE_OAUTH2_SCOPES: "metrics:write",
  };
  await using plimsoll = startIngest({ ...env, PLIMSOLL_TESTID: "oauth2" });
  plimsoll.stdin.end(metric + hit());
  expect(await plimsoll.result).toMatchObject({ exitCode: 0 });
  await expectHits(receiver, 1);
  expect(endpoint.requests).toHaveLength(1);

  isRefused = true;
  await using refused = startIngest({ ...env, PLIMSOLL_TESTID: "oauth2-refused" });
  refused.stdin.end(metric + hit());
  const { exitCode, stderr } = await refused.result;
  expect(exitCode).toBe(4);
  expect(stderr).toContain(
    `remote write to "${receiver.url}" does not work: the OAuth2 token endpoint "${endpoint.url}/token" ` +
      "answered HTTP 401: invalid_client: no such ***; put the credentials or their file right; nothing was started",
  );
});

describe("SigV4", () => {
  const region = "eu-west-1";

  /** Stores what AWS's own signer would have signed so. */
  async function startSigned(secretAccessKey: string) {
    const wrong: string[] = [];
    const seen: ReceivedRequest[] = [];
    const receiver = await startReceiverServer({
      defaultAnswer: (request) => {
        seen.push(request);
        return insist(() => true)(request);
      },
    });
    const verify = async () => {
      for (const { method, path, headers, body } of seen) {
        const { authorization = "" } = headers;
        const [, accessKeyId = "", names = ""] =
          /Credential=([^/]+)\/.*SignedHeaders=([^,]+)/.exec(authorization) ?? [];
        const expected = await awsAuthorization(
          {
            method,
            url: new URL(path, receiver.url),
            headers: Object.fromEntries(
              names.split(";").map((name) => [name, String(headers[name])]),
            ),
            body,
          },
          { accessKeyId, secretAccessKey },
          { region, service: "aps" },
        );
        if (authorization !== expected) wrong.push(`${authorization}, expected ${expected}`);
      }
      expect(wrong).toEqual([]);
      expect(seen.length).toBeGreaterThan(1);
      return seen;
    };
    return { receiver, verify };
  }

  it("honours k6's variables, and signs each try anew", async () => {
    const { receiver, verify } = await startSigned("s3cret");
    await using _ = receiver;
    await using plimsoll = startIngest({
      K6_PROMETHEUS_RW_SERVER_URL: `${receiver.url}?tenant=a%20b`,
      K6_PROMETHEUS_RW_SIGV4_REGION: region,
      K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY: "AKIDEXAMPLE",
      K6_PROMETHEUS_RW_SIGV4_SECRET_KEY: "s3cret",
      PLIMSOLL_TESTID: "k6-keys",
    });
    plimsoll.stdin.end(metric + hit());
    expect(await plimsoll.result).toMatchObject({ exitCode: 0 });
    await expectHits(receiver, 1);
    const [first] = await verify();
    expect(first?.headers).toMatchObject({
      authorization: expect.stringContaining(
        "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date,",
      ),
      "x-amz-date": expect.stringMatching(/^\d{8}T\d{6}Z$/),
    });
  });

  it("takes the credentials of a web identity, as in a Kubernetes pod", async () => {
    const issued = {
      accessKeyId: "ASIAWEB",
      secretAccessKey: "web-s3cret",
      sessionToken: "web-token",
    };
    await using service = await startFormServer((request) =>
      temporaryCredentials(request, issued, new Date(Date.now() + 3_600_000)),
    );
    const tokenFile = join(folder.path, "identity");
    await writeFile(tokenFile, "signed-by-the-cluster");
    const { receiver, verify } = await startSigned(issued.secretAccessKey);
    await using _ = receiver;
    const roleArn = "arn:aws:iam::123456789012:role/load";
    await using plimsoll = startIngest({
      PLIMSOLL_REMOTE_WRITE_URL: receiver.url,
      PLIMSOLL_REMOTE_WRITE_SIGV4_REGION: region,
      AWS_ROLE_ARN: roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ENDPOINT_URL_STS: service.url,
      PLIMSOLL_TESTID: "web-identity",
    });
    plimsoll.stdin.end(metric + hit());
    expect(await plimsoll.result).toMatchObject({ exitCode: 0 });
    await expectHits(receiver, 1);
    const [first] = await verify();
    expect(first?.headers["x-amz-security-token"]).toBe("web-token");
    expect(service.requests.map(({ form }) => form)).toMatchObject([
      {
        Action: "AssumeRoleWithWebIdentity",
        RoleArn: roleArn,
        WebIdentityToken: "signed-by-the-cluster",
      },
    ]);
  });

  it("says which package to install, where finding credentials takes AWS's own", async () => {
    const app = join(folder.path, "app");
    const project = fileURLToPath(new URL("../../", import.meta.url));
    const { dependencies } = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
    await cp(join(project, "dist"), join(app, "dist"), { recursive: true });
    await cp(join(project, "package.json"), join(app, "package.json"));
    for (const name of Object.keys(dependencies)) {
      const link = join(app, "node_modules", name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(project, "node_modules", name), link);
    }
    const env = {
      PATH: process.env["PATH"],
      HOME: folder.path,
      PLIMSOLL_REMOTE_WRITE_SIGV4_REGION: region,
    };
    const ingest = (more: Env) =>
      promisify(execFile)(
        process.execPath,
        [join(app, "dist", "cli", "main.js"), "ingest", join(folder.path, "one.json")],
        { cwd: folder.path, env: { ...env, ...more } },
      );
    await writeFile(join(folder.path, "one.json"), metric + hit());
    await expect(ingest({})).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("npm install @aws-sdk/credential-providers"),
    });

    await using receiver = await startReceiverServer();
    await ingest({
      PLIMSOLL_REMOTE_WRITE_URL: receiver.url,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "s3cret",
    });
    expect(receiver.requests[0]?.headers.authorization).toContain("Credential=AKIDEXAMPLE/");
  });

  it("says which profile it does not find", async () => {
    const env = {
      PLIMSOLL_REMOTE_WRITE_SIGV4_REGION: region,
      PLIMSOLL_REMOTE_WRITE_SIGV4_PROFILE: "nobody",
      AWS_EC2_METADATA_DISABLED: "true",
      PLIMSOLL_TESTID: "profile",
    };
    await using plimsoll = startIngest(env);
    plimsoll.stdin.end(metric + hit());
    const { exitCode, stderr } = await plimsoll.result;
    expect(exitCode).toBe(4);
    expect(stderr).toContain("there are no AWS credentials to sign with: ");
    expect(stderr).toContain("nobody");
  });
});

describeWithOpenssl("certificates and a proxy", () => {
  it("are the run's own: an authority, a client certificate, HTTPS_PROXY", async () => {
    const authority = createAuthority(folder.path, "authority");
    const server = authority.issue("server");
    authority.issue("client");
    const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
    await using receiver = await startReceiverServer({ tls, defaultAnswer: insist(() => true) });
    await using proxy = await startForwardProxy("ann:s3cret");
    await using plimsoll = startIngest({
      PLIMSOLL_REMOTE_WRITE_URL: receiver.url.replace("127.0.0.1", "prom.test"),
      PLIMSOLL_REMOTE_WRITE_TLS_CA_FILE: "authority.pem",
      PLIMSOLL_REMOTE_WRITE_CLIENT_CERTIFICATE: "client.pem",
      PLIMSOLL_REMOTE_WRITE_CLIENT_CERTIFICATE_KEY: "client.key",
      HTTPS_PROXY: proxy.url.replace("//", "//ann:s3cret@"),
      PLIMSOLL_TESTID: "proxy",
    });
    plimsoll.stdin.end(metric + hit());
    expect(await plimsoll.result).toMatchObject({ exitCode: 0 });
    await expectHits(receiver, 1);
    expect(proxy.requests[0]).toMatch(/^CONNECT prom\.test:\d+$/);
  });
});

it("says once that credentials go unencrypted to another machine, and of this one nothing", async () => {
  await using receiver = await startReceiverServer({ defaultAnswer: insist(() => true) });
  await using proxy = await startForwardProxy();
  const send = async (testid: string, env: Env) => {
    await using plimsoll = startIngest({
      PLIMSOLL_REMOTE_WRITE_BEARER_TOKEN: "s3cret",
      PLIMSOLL_TESTID: testid,
      ...env,
    });
    plimsoll.stdin.end(metric + hit());
    const { exitCode, stderr } = await plimsoll.result;
    expect(exitCode).toBe(0);
    return stderr.match(/go unencrypted/g)?.length ?? 0;
  };
  expect(await send("here", { PLIMSOLL_REMOTE_WRITE_URL: receiver.url })).toBe(0);
  const PLIMSOLL_REMOTE_WRITE_URL = receiver.url.replace("127.0.0.1", "prom.test");
  expect(await send("there", { PLIMSOLL_REMOTE_WRITE_URL, HTTP_PROXY: proxy.url })).toBe(1);
});

describe("secrets", () => {
  const secret = "hunter2/+s3cret";
  const inForm = "hunter2%2F%2Bs3cret";
  /** A second one, which is not masked with the first. */
  const other = "swordfish";
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  /** Whatever form it has on its way. */
  const forms = [
    secret,
    inForm,
    "hunter2",
    other,
    base64(`ann:${secret}`),
    base64(`ann:${inForm}`),
  ];

  /** Refuses all, and shows the request in the answer, as some proxies do. */
  const showing = (status: number) => (request: ReceivedRequest) => ({
    status,
    body: `${request.method} ${request.path} ${Object.entries(request.headers).flat().join(" ")}`,
  });

  async function startEndpoint() {
    return await startFormServer(({ headers, form }) => ({
      status: 401,
      body: `${headers.authorization} ${form["client_secret"]} ${new URLSearchParams(form).toString()}`,
    }));
  }

  interface Kind {
    readonly name: string;
    readonly env: (url: string, tokenUrl: string) => Env;
  }
  const prefix = "PLIMSOLL_REMOTE_WRITE_";
  const kinds: readonly Kind[] = [
    {
      name: "a password, a header and a query string",
      env: (url) => ({
        [`${prefix}URL`]: `${url}?key=${other}-in-url`,
        [`${prefix}USERNAME`]: "ann",
        [`${prefix}PASSWORD`]: secret,
        [`${prefix}HEADERS`]: `X-Key: ${other}-in-header`,
      }),
    },
    {
      name: "user-info in the URL",
      env: (url) => ({ [`${prefix}URL`]: url.replace("//", `//ann:${inForm}@`) }),
    },
    {
      name: "a password file",
      env: (url) => ({
        [`${prefix}URL`]: url,
        [`${prefix}USERNAME`]: "ann",
        [`${prefix}PASSWORD_FILE`]: "secret",
      }),
    },
    {
      name: "a token",
      env: (url) => ({ [`${prefix}URL`]: url, [`${prefix}BEARER_TOKEN`]: secret }),
    },
    {
      name: "an OAuth2 client",
      env: (url, tokenUrl) => ({
        [`${prefix}URL`]: url,
        [`${prefix}OAUTH2_CLIENT_ID`]: "ann",
        [`${prefix}OAUTH2_CLIENT_SECRET`]: secret,
        [`${prefix}OAUTH2_TOKEN_URL`]: tokenUrl,
        [`${prefix}OAUTH2_ENDPOINT_PARAMS`]: `password=${other}`,
      }),
    },
    {
      name: "AWS keys and a session token",
      env: (url) => ({
        [`${prefix}URL`]: url,
        [`${prefix}SIGV4_REGION`]: "eu-west-1",
        AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: other,
      }),
    },
    {
      name: "a proxy's password",
      env: (url) => ({
        [`${prefix}URL`]: url,
        [`${prefix}PROXY_URL`]: `http://ann:${inForm}@127.0.0.1:9`,
      }),
    },
  ];

  const expectNone = (seen: Readonly<Record<string, string>>) => {
    for (const [place, text] of Object.entries(seen)) {
      for (const form of forms) expect(text, place).not.toContain(form);
    }
  };

  async function filesIn(path: string): Promise<Record<string, string>> {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const names = files.map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(names.map((name) => readFile(name, "latin1")));
    return Object.fromEntries([
      ["names", entries.map(({ name }) => name).join()],
      ...names.map((name, index) => [name, texts[index] ?? ""]),
    ]);
  }

  async function metricsOf(plimsoll: PlimsollProcess): Promise<string> {
    await plimsoll.waitFor(/own metrics at \S+\n/);
    const [, url = ""] = /own metrics at (\S+)/.exec(plimsoll.stderr) ?? [];
    return await (await fetch(url)).text();
  }

  it.each(kinds)("are nowhere to be seen: $name", async ({ name, env }) => {
    await using own = await createTemporaryFolder();
    await writeFile(join(own.path, "secret"), secret);
    await using endpoint = await startEndpoint();
    await using refusing = await startReceiverServer({ defaultAnswer: showing(400) });
    await using failing = await startReceiverServer({ defaultAnswer: showing(503) });
    const envOf = ({ url }: ReceiverServer) => env(url, `${endpoint.url}/token`);
    const options = { folder: own.path };

    const shown = await runPlimsoll(["config"], { ...options, env: envOf(refusing) });
    expect(shown.exitCode).toBe(0);
    expectNone({ stdout: shown.stdout, stderr: shown.stderr });

    // A run that does not start, and one whose samples stay where they are.
    for (const receiver of [refusing, failing]) {
      const isStarting = receiver === failing;
      const spool = join(own.path, "spool");
      await mkdir(spool, { recursive: true });
      await using plimsoll = startPlimsoll(
        [
          ...words("ingest - --testid hidden --metrics-listen 127.0.0.1:0 --drain-timeout 500ms"),
          ...words(`--spool-dir ${spool} --report ${join(own.path, "report.json")}`),
          isStarting ? "--no-preflight" : "--preflight",
        ],
        { ...options, env: envOf(receiver), isStdinOpen: true },
      );
      plimsoll.stdin.write(metric + hit());
      if (isStarting) {
        const metrics = await metricsOf(plimsoll);
        const commandLine = await readFile(`/proc/${plimsoll.pid}/cmdline`, "latin1");
        expect(commandLine).toContain("ingest");
        expectNone({ metrics, commandLine });
      }
      plimsoll.stdin.end(hit());
      const { exitCode, stdout, stderr } = await plimsoll.result;
      expect(exitCode, stderr).toBe(isStarting ? 3 : 4);
      expect(stderr).toMatch(isStarting ? /spool/ : /does not work/);
      const { [join(own.path, "secret")]: _, ...files } = await filesIn(own.path);
      expectNone({ stdout, stderr, ...files });
      if (isStarting) expect(Object.keys(files).join()).toContain(".segment");
    }
    const reached = refusing.requests.length + failing.requests.length + endpoint.requests.length;
    expect(reached > 0, "something was sent").toBe(!name.includes("proxy"));
  });

  it.each([
    ["config", "--json"],
    ["ingest", "--help"],
    ["run", "--help"],
  ])("are not in what is printed by %s %s", async (...args) => {
    const env = kinds[0]?.env("http://prom.test/api/v1/write", "") ?? {};
    const { exitCode, stdout, stderr } = await runPlimsoll(args, { folder: folder.path, env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/username/i);
    expectNone({ stdout, stderr });
  });

  describeWithTool("k6-2", "of a run", (k6) => {
    it("are in no command line, k6's neither", async () => {
      await using receiver = await startReceiverServer();
      const script = join(folder.path, "idle.js");
      await writeFile(
        script,
        'import { sleep } from "k6"; export default function () { sleep(60); }',
      );
      await using plimsoll = startPlimsoll(["run", script, "--k6", k6], {
        folder: folder.path,
        env: {
          [`${prefix}URL`]: `${receiver.url}?key=${secret}`,
          [`${prefix}BEARER_TOKEN`]: secret,
        },
      });
      let commandLines: Record<string, string> = {};
      await expect
        .poll(
          async () => {
            commandLines = await childCommandLines(plimsoll.pid);
            return Object.values(commandLines).filter((line) => line.startsWith(k6)).length;
          },
          { timeout: 20_000 },
        )
        .toBe(1);
      expectNone(commandLines);
      plimsoll.kill("SIGINT");
      const { stdout, stderr } = await plimsoll.result;
      expectNone({ stdout, stderr });
    });
  });
});

/** Of a process and those that it has started. */
async function childCommandLines(pid: number): Promise<Record<string, string>> {
  const lines: Record<string, string> = {};
  const tasks = await readdir(`/proc/${pid}/task`);
  for (const task of tasks) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, "utf8");
    for (const child of [String(pid), ...children.split(" ").filter((id) => id !== "")]) {
      lines[child] = await readFile(`/proc/${child}/cmdline`, "latin1");
    }
  }
  return lines;
}
