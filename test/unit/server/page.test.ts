import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodingFor, readPage } from "../../../src/server/page/page.ts";
import { type ServerHost, startServerHost } from "../../support/server-host.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

let host: ServerHost;
beforeAll(async () => {
  host = await startServerHost();
});
afterAll(() => host[Symbol.asyncDispose]());

const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const script = "/assets/main-abc123.js";

async function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return await host.app.inject({ method: "GET", url, headers });
}

describe("the page", () => {
  it.each(["/", "/runs", "/runs/1", "/runs/checkout%2F1-2", "/compare?base=1&run=2", "/sign-in"])(
    "is at %s, for everybody, with nothing that runs but its own files",
    async (url) => {
      const { statusCode, headers, body } = await get(url);
      expect([statusCode, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(body).toContain('<div id="page">');
      expect(headers).toMatchObject({
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "permissions-policy": expect.stringContaining("camera=()") as string,
        // After an upgrade its files have other names.
        "cache-control": "no-cache",
      });
    },
  );

  it("says that there is no such page to a person, and in JSON to a program", async () => {
    for (const url of ["/nowhere", "/runs/1/2", "/run", "/assets", "/favicon.ico"]) {
      const person = await get(url, html);
      expect([person.statusCode, person.headers["content-type"]]).toEqual([
        404,
        "text/html; charset=utf-8",
      ]);
      expect(person.headers["content-security-policy"]).toContain("script-src 'self'");
      const program = await get(url, { accept: "*/*" });
      expect([program.statusCode, program.json()]).toMatchObject([
        404,
        { error: { code: "not_found" } },
      ]);
    }
    const api = await get("/api/v1/nowhere", html);
    expect(api.json()).toMatchObject({ error: { code: "not_found" } });
    const post = await host.app.inject({ method: "POST", url: "/nowhere", headers: html });
    expect(post.json()).toMatchObject({ error: { code: "not_found" } });
  });

  it("is not what a path says that is not its own", async () => {
    const { body } = await get("/%3Cscript%3Ealert(1)%3C/script%3E", html);
    expect(body).not.toContain("alert");
  });
});

describe("a file of the page", () => {
  it("is kept for ever: its name has the hash of what is in it", async () => {
    const { statusCode, headers, body } = await get(script);
    expect([statusCode, body]).toEqual([200, "plain();"]);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
    });
    expect(headers).not.toHaveProperty("content-encoding");
  });

  it("comes compressed as the client takes it", async () => {
    for (const [accepted, encoding, text] of [
      ["gzip, deflate, br, zstd", "br", "br"],
      ["gzip, br;q=0", "gzip", "gzip"],
    ] as const) {
      const { headers, body } = await get(script, { "accept-encoding": accepted });
      expect([headers["content-encoding"], body]).toEqual([encoding, text]);
    }
  });

  it.each([
    "/assets/",
    "/assets/main-abc123.js.br",
    "/assets/../index.html",
    "/assets/..%2findex.html",
    "/assets/%2e%2e/%2e%2e/package.json",
    "/assets/..%5c..%5cpackage.json",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    "/assets/main-abc123.js%00.png",
    "/assets/main-abc123.js/",
    "/assets/__proto__",
    "/assets/constructor",
    "/assets/MAIN-abc123.js",
  ])("is none at %s, and no path of the machine is looked up", async (url) => {
    const { statusCode, headers } = await get(url);
    expect(statusCode).toBe(404);
    expect(headers["content-type"]).toContain("application/json");
    expect(headers["cache-control"]).toBe("no-store");
  });
});

describe("every other answer", () => {
  it.each<["GET" | "POST" | "PUT" | "OPTIONS" | "DELETE", string]>([
    ["GET", "/-/healthy"],
    ["GET", "/metrics"],
    ["GET", "/api/v1/runs"],
    ["GET", "/api/v1/session"],
    ["GET", "/api/v1/openapi.json"],
    ["GET", "/api/v1/nowhere"],
    ["DELETE", "/api/v1/session"],
    ["OPTIONS", "/api/v1/runs"],
    ["POST", "/v1/tests"],
    ["GET", "/cloud/v6/nowhere"],
    ["POST", "/ingest/1/metrics"],
    ["PUT", "/upload/1"],
    ["GET", "/nowhere"],
    ["GET", "/%zz"],
    ["GET", `/runs/${"x".repeat(500)}`],
  ])("can do nothing in a browser, and is kept by none: %s %s", async (method, url) => {
    const { headers } = await host.app.inject({ method, url });
    expect(headers).toMatchObject({
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });
});

describe("the built files", () => {
  const index = '<!doctype html><base href="/" /><script src="./assets/a.js"></script>';

  async function read(publicUrl: string, text = index) {
    await using folder = await createTemporaryFolder();
    await mkdir(join(folder.path, "assets"));
    await writeFile(join(folder.path, "index.html"), text);
    await writeFile(join(folder.path, "assets/a.js"), "a");
    await writeFile(join(folder.path, "assets/a.js.br"), brotliCompressSync("a"));
    await writeFile(join(folder.path, "assets/a.js.gz"), gzipSync("a"));
    await writeFile(join(folder.path, "assets/b.css"), "b");
    await writeFile(join(folder.path, "assets/c.map"), "c");
    return await readPage(publicUrl, folder.path);
  }

  it("are those of known kinds, with their compressed forms", async () => {
    const { assets } = await read("https://k6.test");
    expect([...assets.keys()].sort()).toEqual(["a.js", "b.css"]);
    const [a, b] = [assets.get("a.js")!, assets.get("b.css")!];
    expect(a.compressed.br).toEqual(brotliCompressSync("a"));
    expect(b).toMatchObject({ type: "text/css; charset=utf-8", compressed: {} });
    expect(encodingFor("br", b)).toBeUndefined();
    for (const [accepted, encoding] of [
      [undefined, undefined],
      ["", undefined],
      ["identity", undefined],
      ["br;q=0, gzip;q=0.000", undefined],
      ["GZIP ; q=0.5", "gzip"],
      ["gzip;q=1, br;q=0.1", "br"],
      ["brotli, xgzip", undefined],
    ]) {
      expect(encodingFor(accepted, a), accepted).toBe(encoding);
    }
  });

  it.each([
    ["https://k6.test", "/"],
    ["https://k6.test/load", "/load/"],
    ["https://k6.test/a&b/%22><script>", "/a&amp;b/%22%3E%3Cscript%3E/"],
  ])("are found below the path of %s", async (publicUrl, base) => {
    expect((await read(publicUrl)).index).toBe(index.replace('"/"', `"${base}"`));
  });

  it("are refused where the page has no place for that path", async () => {
    await expect(read("https://k6.test/load", "<html>")).rejects.toThrow("no <base");
  });
});
