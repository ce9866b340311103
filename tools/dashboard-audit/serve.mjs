/**
 * A server on a loopback port for the time of one audit: the built page, and Prometheus below `/prometheus/`, so that
 * page and API have one origin.
 */
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".ttf": "font/ttf",
};

/** The fonts that Grafana's styles name: the file in a dependency of this tool. */
/** @type {Record<string, string>} */
const fonts = {
  "Inter-Regular.woff2": "inter/files/inter-latin-400-normal.woff2",
  "Inter-Medium.woff2": "inter/files/inter-latin-500-normal.woff2",
};

/** Grafana's icons are part of its application: the few that a dashboard needs, drawn anew, and nothing for others. */
/** @type {Record<string, string>} */
const icons = {
  "angle-down": "M6 9l6 6 6-6",
  "angle-up": "M6 15l6-6 6 6",
  "angle-right": "M9 6l6 6-6 6",
  "info-circle": "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M12 11v6M12 7.5v.5",
  "clock-nine": "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M12 7v5H8",
  "exclamation-triangle": "M12 4L3 20h18L12 4M12 10v5M12 17.5v.5",
  "arrow-up": "M12 20V5M6 11l6-6 6 6",
  "arrow-down": "M12 4v15M6 13l6 6 6-6",
};

/**
 * @param {{ folder: string, prometheus: string }} options
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function servePage({ folder, prometheus }) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://page");
    if (url.pathname.startsWith("/prometheus/")) {
      const target = prometheus.replace(/\/$/, "") + url.pathname.slice("/prometheus".length);
      proxy(target + url.search, request, response).catch((error) => {
        response.writeHead(502, { "content-type": "application/json" });
        response.end(
          JSON.stringify({
            status: "error",
            error: `no answer from Prometheus: ${error.cause ?? error}`,
          }),
        );
      });
      return;
    }
    const icon = /\/([^/]+)\.svg$/.exec(url.pathname);
    if (icon) {
      response.writeHead(200, { "content-type": "image/svg+xml" });
      response.end(
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="${icons[icon[1] ?? ""] ?? ""}" fill="none" stroke="currentColor" stroke-width="2"/></svg>`,
      );
      return;
    }
    const font = fonts[path.basename(url.pathname)];
    const file = font
      ? fileURLToPath(new URL(`node_modules/@fontsource/${font}`, import.meta.url))
      : path.join(folder, path.normalize(url.pathname === "/" ? "/index.html" : url.pathname));
    if (url.pathname === "/favicon.ico") {
      response.writeHead(204).end();
      return;
    }
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": types[path.extname(file)] ?? "application/octet-stream",
    });
    createReadStream(file).pipe(response);
  });
  // The browser does not repeat a POST on a connection that the server closes meanwhile.
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * @param {string} target
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function proxy(target, request, response) {
  /** @type {Buffer[]} */
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await fetch(target, {
    method: request.method ?? "GET",
    ...(request.method === "POST" && {
      body: Buffer.concat(chunks),
      headers: { "content-type": request.headers["content-type"] ?? "" },
    }),
  });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
