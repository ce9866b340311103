/**
 * What the tests of the page stand on, all of it real: a Prometheus, a shop that is loaded, a server with a token of each role,
 * k6 as it comes, and a Chromium.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Role } from "../../src/runs/run-repository.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import { type PageBrowser, type PageOptions, signIn, startBrowser } from "./browser.ts";
import { isOver } from "./cloud-checks.ts";
import { type CloudK6, type Flow, startCloudK6 } from "./cloud-k6.ts";
import { type CloudServer, startCloudServer } from "./cloud-server.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";
import { type Shop, startShop } from "./shop.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";
import { findTool, type ToolName } from "./tools.ts";

/** For `describeWithTools`. */
export const pageTools: readonly ToolName[] = ["chromium", "k6-2", "prometheus-3"];

export interface StageOptions {
  /** Of the server. */
  readonly flags?: readonly string[];
  /** Of the Prometheus. Default: takes nothing that is older than what it has. */
  readonly storeConfig?: string;
}

export interface K6Options {
  /** The test's name. */
  readonly name: string;
  /** As cloud-script.js has it. Default: finishes. */
  readonly ends?: string;
  /** Default 3 s. */
  readonly duration?: string;
  /** Default 2. */
  readonly vus?: number;
  /** Default: uploads its archive and cannot be stopped from the page. */
  readonly flow?: Flow;
  /** Default: cloud-script.js. */
  readonly script?: string;
  /** Beside what the script gets in any case. */
  readonly scriptEnv?: Readonly<Record<string, string>>;
}

export interface PageStage extends AsyncDisposable {
  readonly prometheus: Prometheus;
  /** Between the server and Prometheus, to take the store away. */
  readonly wayToStore: TcpProxy;
  readonly shop: Shop;
  readonly server: CloudServer;
  readonly browser: PageBrowser;
  /** One of each role. */
  readonly tokens: Readonly<Record<Role, string>>;
  /** Where k6 runs, and scripts may be. */
  readonly folder: string;
  k6(options: K6Options): Promise<CloudK6>;
  /** Resolves with the run when k6 and it are over. */
  ranK6(options: K6Options): Promise<{ readonly run: RunView; readonly k6: CloudK6 }>;
  /** A page whose person is signed in with a token of this role; null: nobody is. Default: admin. */
  open(path: string, options?: PageOptions & { readonly role?: Role | null }): Promise<Page>;
}

export async function startPageStage({
  flags = [],
  storeConfig,
}: StageOptions = {}): Promise<PageStage> {
  const started: AsyncDisposable[] = [];
  const keep = <Part extends AsyncDisposable>(part: Part): Part => {
    started.push(part);
    return part;
  };
  const dispose = async (): Promise<void> => {
    for (const part of started.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  };
  try {
    const prometheus = keep(
      await startPrometheus({
        program: tool("prometheus-3"),
        ...(storeConfig !== undefined && { config: storeConfig }),
      }),
    );
    const wayToStore = keep(await startTcpProxy(() => prometheus.url));
    const writeUrl = `${wayToStore.url}/api/v1/write`;
    const server = keep(await startCloudServer({ writeUrl, flags }));
    return {
      ...(await createStage(server, keep)),
      prometheus,
      wayToStore,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function createStage(
  server: CloudServer,
  keep: <Part extends AsyncDisposable>(part: Part) => Part,
): Promise<Omit<PageStage, "prometheus" | "wayToStore" | typeof Symbol.asyncDispose>> {
  const shop = keep(await startShop());
  const folder = keep(await createTemporaryFolder());
  const browser = keep(await startBrowser(tool("chromium")));
  const env = await server.k6Environment();
  const issue = async (role: Role): Promise<string> => {
    const answer = await server.ask("POST", "/tokens", { name: `${role} token`, role });
    const { token }: { readonly token: string } = JSON.parse(await answer.text());
    return token;
  };
  const tokens = { push: await issue("push"), read: await issue("read"), admin: server.adminToken };
  let count = 0;
  const k6 = async (options: K6Options): Promise<CloudK6> => {
    const { ends = "finishes", duration = "3s", vus = 2, script, scriptEnv } = options;
    const home = join(folder.path, `k6-${++count}`);
    await mkdir(home);
    const one = startCloudK6({
      program: tool("k6-2"),
      flow: options.flow ?? "k6 cloud run --local-execution",
      folder: home,
      // Where the script has no name of its own.
      env: { ...env, K6_CLOUD_NAME: options.name },
      scriptEnv: {
        TEST: options.name,
        BASE_URL: shop.url,
        ENDS: ends,
        DURATION: duration,
        VUS: String(vus),
        ...scriptEnv,
      },
      ...(script !== undefined && { script }),
    });
    return keep(one);
  };
  return {
    shop,
    server,
    browser,
    tokens,
    folder: folder.path,
    k6,
    async ranK6(options) {
      const one = await k6(options);
      await one.result;
      return { run: await server.waitForRun(await one.runId, isOver), k6: one };
    },
    async open(path, { role = "admin", ...options } = {}) {
      const page = await browser.open(server.url, options);
      if (role !== null) await signIn(page, server.url, tokens[role]);
      await page.goto(path);
      return page;
    },
  };
}

function tool(name: ToolName): string {
  const program = findTool(name);
  if (program === undefined) throw new Error(`${name} is not installed`);
  return program;
}
