/**
 * What k6 does with its cloud beside running a script here: logging in, lists, what is refused; what it leaves on the
 * server; and that it talks to nobody else.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { extract } from "tar-stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isOver } from "../support/cloud-checks.ts";
import { cloudScript, flows, k6Versions, startCloudK6, type Flow } from "../support/cloud-k6.ts";
import { expectInMatrix } from "../support/cloud-matrix.ts";
import { startCloudServer, type CloudServer } from "../support/cloud-server.ts";
import { startProgram, type ProgramResult } from "../support/program.ts";
import { startPrometheus, type Prometheus } from "../support/prometheus.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

let prometheus: Prometheus;
let shop: Shop;
let folder: TemporaryFolder;
let server: CloudServer;
let env: Readonly<Record<string, string>>;

describeWithTool("prometheus-3", "k6's cloud commands", (program) => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program });
    shop = await startShop();
    folder = await createTemporaryFolder();
    server = await startCloudServer({ writeUrl: prometheus.writeUrl });
    env = await server.k6Environment();
  });
  afterAll(async () => {
    for (const one of [server, prometheus, shop, folder]) await one[Symbol.asyncDispose]();
  });

  for (const { tool, version } of k6Versions) {
    describeWithTool(tool, version, (k6) => {
      /** k6 with what `plimsoll env` says, or less of it. */
      const cloud = (args: readonly string[], own = env, home = folder.path) =>
        runK6([k6, "cloud", ...args], own, home);
      /** Hosts without a token and a stack: those come from the login. */
      const hosts = () =>
        without(env, ["K6_CLOUD_TOKEN", "K6_CLOUD_STACK_ID", "K6_CLOUD_PROJECT_ID"]);

      it("logs in with a stack, and needs no token in its environment from then on", async () => {
        const home = await newFolder(`login-${version}`);
        const login = ["login", "--token", server.adminToken, "--stack", server.url];
        const { exitCode, stdout, stderr } = await cloud(login, hosts(), home);
        expect(exitCode, stdout + stderr).toBe(0);
        expect(await configOf(home)).toMatchObject({ stackID: 1, defaultProjectID: 1 });
        await using run = startCloudK6({
          program: k6,
          flow: "k6 cloud run --local-execution",
          folder: home,
          env: hosts(),
          scriptEnv: { TEST: `login-${version}`, BASE_URL: shop.url, DURATION: "1s" },
        });
        const ended = await run.result;
        expect(ended.exitCode, ended.stderr).toBe(0);
        await expectInMatrix("k6 cloud login --token TOKEN --stack URL", version, "works");
      });

      it("is told that a wrong token is wrong", async () => {
        const home = await newFolder(`wrong-login-${version}`);
        const wrong = `plm_${"a".repeat(43)}`;
        const { exitCode, stdout, stderr } = await cloud(
          ["login", "--token", wrong, "--stack", server.url],
          hosts(),
          home,
        );
        expect(exitCode).not.toBe(0);
        expect(stdout + stderr).toMatch(/token|credentials|authenticat/i);
        expect(await configOf(home).catch(() => undefined)).not.toMatchObject({ token: wrong });
        await expectInMatrix("k6 cloud login with a wrong token", version, "refused");
      });

      it.each([
        ["project list", /Default/],
        ["test list", new RegExp(`login-${version.replaceAll(".", "\\.")}`)],
        ["load-zone list", /No load zones found/],
      ] as const)("answers k6 cloud %s, where k6 has it", async (command, expected) => {
        const { exitCode, stdout, stderr } = await cloud(command.split(" "));
        // k6 v2 shows its help instead, and v1 takes it for a script.
        const isUnknown = !expected.test(stdout);
        if (isUnknown) expect(stdout + stderr).toMatch(/Available Commands|moduleSpecifier/);
        else expect(exitCode, stderr).toBe(0);
        await expectInMatrix(
          `k6 cloud ${command}`,
          version,
          isUnknown ? "no such command" : "works",
        );
      });

      it.each([
        ["cloud run", ["run"]],
        ["cloud upload", ["upload"]],
      ])("refuses k6 %s with what to type instead", async (what, args) => {
        const { exitCode, stdout, stderr } = await cloud([...args, cloudScript]);
        expect(exitCode).not.toBe(0);
        expect(stdout + stderr).toContain("--local-execution");
        await expectInMatrix(`k6 ${what}`, version, "refused, with what to type instead");
      });

      it("leaves its log and its archive with the run, without secrets", async () => {
        const test = `kept-${version}`;
        await using run = startCloudK6({
          program: k6,
          flow: "k6 cloud run --local-execution",
          folder: await newFolder(test),
          env,
          scriptEnv: {
            TEST: test,
            BASE_URL: shop.url,
            DURATION: "2s",
            PASSWORD: "hunter2",
            // As a script may have it in its options.
            TOKEN: server.adminToken,
          },
        });
        const id = await run.runId;
        expect((await run.result).exitCode).toBe(0);
        const ended = await server.waitForRun(id, isOver);

        const archive = await server.ask("GET", `/runs/${id}/archive`);
        const files = await unpack(Buffer.from(await archive.arrayBuffer()));
        expect(files.get("data")).toBe(await readFile(cloudScript, "utf8"));
        const metadata: ArchiveMetadata = JSON.parse(files.get("metadata.json") ?? "");
        expect(metadata.options).toMatchObject({ cloud: { name: test } });
        expect(Object.keys(metadata.env)).toContain("PASSWORD");
        for (const secret of ["hunter2", server.adminToken]) {
          for (const content of files.values()) expect(content).not.toContain(secret);
          expect(JSON.stringify(ended)).not.toContain(secret);
        }

        const log = await (await server.ask("GET", `/runs/${id}/export`)).text();
        const hasLog = log.includes("first iteration of 1");
        expect(hasLog).toBe(ended.logLines > 0);
        expect(hasLog).toBe(version === "2.2.0");
        await expectInMatrix(
          "k6's log is kept with the run",
          version,
          hasLog ? "yes" : "k6 sends none",
        );
      });

      it("talks to the server and to what it loads, and to nobody else", async () => {
        for (const flow of Object.keys(flows) as Flow[]) {
          const test = `alone-${version}-${flow.replaceAll(/\W+/g, "-")}`;
          const home = await newFolder(test);
          const trace = join(home, "trace");
          await using run = startCloudK6({
            program: k6,
            flow,
            folder: home,
            env,
            scriptEnv: { TEST: test, BASE_URL: shop.url, DURATION: "1s" },
            wrapper: stracing(trace),
          });
          const { exitCode, stderr } = await run.result;
          expect(exitCode, stderr).toBe(0);
          expect(await connectedTo(trace)).toEqual([server.url, shop.url].map(addressOf).sort());
        }
        await expectInMatrix("k6 connects to other hosts", version, "no");
      });

      it("asks nobody for a k6 that has an extension", async () => {
        const home = await newFolder(`extension-${version}`);
        const script = join(home, "extension.js");
        await writeFile(script, 'import x from "k6/x/not-here"; export default () => x;');
        const trace = join(home, "trace");
        const { exitCode, stderr } = await runK6(
          [...stracing(trace), k6, "run", script],
          env,
          home,
        );
        expect(exitCode).not.toBe(0);
        expect(stderr).toContain("k6/x/not-here");
        expect(await connectedTo(trace)).toEqual([]);
      });
    });
  }
});

async function newFolder(name: string): Promise<string> {
  const path = join(folder.path, name);
  await mkdir(path);
  return path;
}

async function runK6(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  home: string,
): Promise<ProgramResult> {
  await using k6 = startProgram(command, {
    folder: home,
    env: { PATH: process.env["PATH"], HOME: home, ...env },
  });
  return await k6.result;
}

function without(
  env: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

/** What login has stored. Source: k6 `cmd/state/state.go`; the folder is that of k6 itself from v1 on. */
async function configOf(home: string): Promise<unknown> {
  const text = await readFile(join(home, ".config", "k6", "config.json"), "utf8");
  const config: { readonly collectors: { readonly cloud: unknown } } = JSON.parse(text);
  return config.collectors.cloud;
}

interface ArchiveMetadata {
  readonly options: unknown;
  readonly env: Readonly<Record<string, string>>;
}

/** Files of a tar by name. */
async function unpack(tar: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const reading = extract();
  Readable.from([tar]).pipe(reading);
  for await (const entry of reading) files.set(entry.header.name, await text(entry));
  return files;
}

/** All that goes to the network by a new way begins with `connect`, or names its address in `sendto`. */
function stracing(file: string): readonly string[] {
  const calls = "trace=connect,sendto,sendmsg,sendmmsg";
  return ["strace", "-f", "-qq", "-e", calls, "-e", "signal=none", "-o", file];
}

/** The addresses in a trace, each once, in order; of files and of the kernel there are none. */
async function connectedTo(trace: string): Promise<string[]> {
  const lines = (await readFile(trace, "utf8")).split("\n");
  const addresses = lines.flatMap((line) => {
    const port = /sin6?_port=htons\((\d+)\)/.exec(line)?.[1];
    const host = /(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"/.exec(line)?.[1];
    if (port === undefined && !/sa_family=AF_INET/.test(line)) return [];
    return [`${host}:${port}`];
  });
  return [...new Set(addresses)].sort();
}

function addressOf(url: string): string {
  return new URL(url).host;
}
