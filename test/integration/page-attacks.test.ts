/**
 * What other pages, paths and links get of the built `plimsoll serve`: with the bytes that a client chooses, and in a real
 * Chromium that is signed in and looks at a page of somebody else's on another port of the same host.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { SessionView } from "../../src/server/api/session-view.ts";
import { startBrowser, type PageBrowser } from "../support/browser.ts";
import { type CloudServer, startCloudServer } from "../support/cloud-server.ts";
import { type Answer, type Ask, clientOf, sendRaw } from "../support/hostile-client.ts";
import { runPlimsoll } from "../support/plimsoll.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { describeWithTool } from "../support/tools.ts";

let receiver: ReceiverServer;
let server: CloudServer;
let ask: Ask;
let port: string;
let reader: { readonly token: string; readonly record: { readonly id: number } };
beforeAll(async () => {
  receiver = await startReceiverServer();
  server = await startCloudServer({ writeUrl: receiver.url });
  ask = clientOf(server.url, "203.0.113.1");
  ({ port } = new URL(server.url));
  reader = await issue("reader", "read");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function issue(name: string, role: string): Promise<typeof reader> {
  return (await (await server.ask("POST", "/tokens", { name, role })).json()) as typeof reader;
}

async function createRun(): Promise<number> {
  const made = await server.ask("POST", "/runs", { test: "private" });
  return ((await made.json()) as { run: { id: number } }).run.id;
}

async function signIn(token: string): Promise<Answer> {
  return await ask("/api/v1/session", { headers: { Origin: server.url }, body: { token } });
}

async function statusWith(cookie: string, path: string): Promise<number> {
  return (await ask(`/api/v1${path}`, { method: "GET", headers: { Cookie: cookie } })).status;
}

it("keeps a person signed in when it is started again, until the token is revoked", async () => {
  const { token, record } = await issue("leaver", "read");
  const setCookie = (await signIn(token)).headers.get("set-cookie");
  expect(setCookie).toBe(
    `plimsoll_${port}=${token}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict`,
  );
  await server.restart();
  const cookie = `plimsoll_${port}=${token}`;
  expect(await statusWith(cookie, "/runs")).toBe(200);
  await server.ask("DELETE", `/tokens/${record.id}`);
  await vi.waitFor(async () => expect(await statusWith(cookie, "/runs")).toBe(401), {
    timeout: 15_000,
    interval: 250,
  });
});

it("gives out a link by which one run is seen, and says nothing of it in the log", async () => {
  const [run, other] = [await createRun(), await createRun()];
  const { exitCode, stdout, stderr } = await runPlimsoll(
    ["runs", "share", String(run), "--for", "1m"],
    { folder: server.folder, env: { PLIMSOLL_SERVER: server.url, PLIMSOLL_TOKEN: reader.token } },
  );
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toMatch(/^plimsoll: the link ends at 20\S+Z$/m);
  const [, token = ""] = new RegExp(`^${server.url}/runs/${run}#share=(.*)\n$`).exec(stdout) ?? [];
  const answer = await signIn(token);
  expect((JSON.parse(answer.text) as SessionView).principal).toMatchObject({
    role: "share",
    runId: run,
  });
  const cookie = `plimsoll_${port}=${token}`;
  const statuses = [
    `/runs/${run}`,
    `/runs/${other}`,
    "/runs",
    `/runs/${run}/shares`,
    "/tokens",
  ].map(async (path) => await statusWith(cookie, path));
  expect(await Promise.all(statuses)).toEqual([200, 403, 403, 403, 403]);
  expect(server.process.stdout).toContain('"run shared"');
  expect(server.process.stdout).not.toMatch(/pl[mrs]_/);
});

it("says by what a link cannot be made", async () => {
  const share = async (...args: string[]) =>
    await runPlimsoll(["runs", "share", ...args], { folder: server.folder });
  for (const [args, reason] of [
    [["1"], "name it with --server"],
    [["1", "--for", "1s"], '--for "1s" is not between 1m and 90d'],
    [["1", "--for", "a week"], '"a week" is not a duration'],
  ] as const) {
    const { exitCode, stderr } = await share(...args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(reason)]);
  }
});

it("answers a stream of events with the policy of every other answer", async () => {
  const run = await createRun();
  const abort = new AbortController();
  const { status, headers } = await fetch(`${server.url}/api/v1/runs/${run}/live`, {
    headers: { Authorization: `Bearer ${reader.token}` },
    signal: abort.signal,
  });
  abort.abort();
  expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
});

it.each([
  "/assets/../../../package.json",
  "/assets/..%2f..%2f..%2fpackage.json",
  "/assets/%2e%2e/%2e%2e/%2e%2e/package.json",
  "/assets/..\\..\\..\\package.json",
  "/../../../../../../etc/passwd",
  "//etc/passwd",
  "/assets//etc/passwd",
  "/assets/\0",
  "http://elsewhere.test/assets/../package.json",
])("gives no file of the machine for %j", async (path) => {
  const head = `GET ${path} HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nConnection: close`;
  const answer = await sendRaw(server.url, `${head}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
  expect(answer).not.toMatch(/"dependencies"|root:/);
});

it("says nothing that a client has put into Host", async () => {
  for (const host of ["evil.example", "evil.example\r\nX-Forwarded-Host: evil.example"]) {
    for (const path of ["/runs/1", "/nowhere", "/api/v1/session", "/api/v1/openapi.json"]) {
      const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close`;
      const answer = await sendRaw(server.url, `${head}\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 (200|404) /);
      expect(answer).not.toContain("evil");
    }
  }
});

describeWithTool("chromium", "a page on another port of the host", (chromium) => {
  let browser: PageBrowser;
  let context: BrowserContext;
  let evil: { readonly url: string; stop(): Promise<void> };
  let own: Page;
  let page: Page;
  let run: number;
  beforeAll(async () => {
    browser = await startBrowser(chromium);
    context = await browser.chromium.newContext();
    evil = await startBlankPage();
    run = await createRun();
    // As the page does it.
    own = await context.newPage();
    await own.goto(`${server.url}/sign-in`);
    expect(
      await inPage(own, post("/api/v1/session", JSON.stringify({ token: reader.token }))),
    ).toBe("200");
    page = await context.newPage();
    await page.goto(evil.url);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await evil.stop();
  });

  /** Whose session our own page has. */
  const signedIn = async (): Promise<string> => {
    return await inPage(
      own,
      'fetch("/api/v1/session").then((a) => a.json()).then((a) => a.principal?.name ?? "nobody")',
    );
  };
  const api = (path: string): string => `${server.url}/api/v1${path}`;

  it("reads nothing, in no way that a browser has", async () => {
    expect(await signedIn()).toBe("reader");
    const target = JSON.stringify(api(`/runs/${run}`));
    for (const attempt of [
      `fetch(${target}, { credentials: "include" }).then((a) => a.text())`,
      `fetch(${target}, { credentials: "include", mode: "no-cors" }).then((a) => a.text())`,
      `new Promise((resolve, reject) => {
         const one = Object.assign(document.createElement("script"), { src: ${target} });
         one.onload = () => resolve("loaded"); one.onerror = () => reject("refused"); document.body.append(one);
       })`,
      `new Promise((resolve, reject) => {
         const one = new EventSource(${JSON.stringify(api(`/runs/${run}/live`))}, { withCredentials: true });
         one.onmessage = one.onopen = () => resolve("open");
         one.onerror = () => { one.close(); reject("refused"); };
       })`,
      `new Promise((resolve, reject) => {
         const one = Object.assign(document.createElement("iframe"), { src: ${JSON.stringify(`${server.url}/runs/${run}`)} });
         one.onload = () => { try { resolve(one.contentDocument.body.textContent || "framed"); } catch { reject("refused"); } };
         document.body.append(one);
       }).then((text) => text === "framed" ? Promise.reject("nothing in it") : text)`,
    ]) {
      const got = await inPage(page, `${attempt}.catch((error) => "refused: " + error)`);
      expect(["", "refused"], got).toContain(got.replace(/^refused: .*/s, "refused"));
      expect(got).not.toContain("private");
    }
  });

  it("changes nothing, and signs nobody in or out", async () => {
    const other = await issue("somebody else", "admin");
    const body = JSON.stringify({ token: other.token });
    const url = JSON.stringify(api("/session"));
    const note = JSON.stringify(api(`/runs/${run}/stop`));
    for (const attempt of [
      post(api("/session"), body, '"text/plain"'),
      post(api("/session"), body, '"application/json"'),
      `fetch(${url}, { method: "DELETE", credentials: "include" })`,
      `fetch(${note}, { method: "POST", credentials: "include", mode: "no-cors" })`,
      `Promise.resolve(navigator.sendBeacon(${url}, ${JSON.stringify(body)}))`,
    ]) {
      await inPage(page, `${attempt}.then(() => "sent", () => "refused")`);
    }
    // A form goes where it is sent to, and may look like JSON.
    const form = await context.newPage();
    await form.goto(evil.url);
    const [field = "", rest = ""] = body.split(/(?<=token":")/);
    const answered = form.waitForResponse(api("/session"));
    await inPage(
      form,
      `(() => {
        const form = Object.assign(document.createElement("form"),
          { method: "post", enctype: "text/plain", action: ${url} });
        form.append(Object.assign(document.createElement("input"),
          { name: ${JSON.stringify(field)}, value: ${JSON.stringify(rest)} }));
        document.body.append(form);
        // Once this is answered: with the page goes whoever asks.
        setTimeout(() => form.submit());
        return "sent";
      })()`,
    );
    expect((await answered).status()).toBe(403);
    expect(await signedIn()).toBe("reader");
    expect((await server.run(run)).state).toBe("initializing");
  });

  it("signs a person out at worst, by a cookie beside ours: never in as somebody else", async () => {
    const other = await issue("fixated", "admin");
    for (const path of ["/", "/api"]) {
      await inPage(page, `document.cookie = "plimsoll_${port}=${other.token}; path=${path}"`);
      expect(["reader", "nobody"]).toContain(await signedIn());
    }
  });
});

/** What a script in a page comes to, as text. */
async function inPage(page: Page, script: string): Promise<string> {
  // A script has no end of its own, as long as what it waits for has none.
  const late = new Promise((_, reject) =>
    setTimeout(reject, 30_000, new Error(`waits: ${script}`)).unref(),
  );
  return String(await Promise.race([page.evaluate(script), late]));
}

function post(url: string, body: string, type = '"application/json"'): string {
  return `fetch(${JSON.stringify(url)}, { method: "POST", credentials: "include",
    headers: { "Content-Type": ${type} }, body: ${JSON.stringify(body)} }).then((a) => String(a.status))`;
}

async function startBlankPage(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const blank = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html").end("<!doctype html><body></body>");
  });
  blank.listen(0, "127.0.0.1");
  await once(blank, "listening");
  // A TCP server that listens has an address of this kind.
  const { port: at } = blank.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${at}/`,
    async stop() {
      blank.closeAllConnections();
      blank.close();
      await once(blank, "close");
    },
  };
}
