/**
 * Where the page is: its own paths, which all give the same document, and its files.
 *
 * Open to everybody: there is nothing of a run in them. What they show they ask `/api/v1` for.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { HttpError, answerNotFound } from "../http-error.ts";
import { pageHeaders } from "../security-headers.ts";
import { encodingFor, type Page } from "./page.ts";

const paths = ["/", "/runs", "/runs/:id", "/compare", "/sign-in"];

export function addPage(app: FastifyInstance, page: Page): void {
  const config = { isOpen: true };
  for (const path of paths) {
    app.get(path, { config }, async (_, reply) => await sendIndex(reply, page));
  }
  app.get<{ Params: { readonly "*": string } }>("/assets/*", { config }, async (request, reply) => {
    const name = request.params["*"];
    const asset = page.assets.get(name);
    if (!asset) throw new HttpError(404, "not_found", `there is no file ${JSON.stringify(name)}`);
    const encoding = encodingFor(request.headers["accept-encoding"], asset);
    if (encoding) void reply.header("Content-Encoding", encoding);
    return await reply
      .type(asset.type)
      .headers({ Vary: "Accept-Encoding", "Cache-Control": "public, max-age=31536000, immutable" })
      .send(encoding ? asset.compressed[encoding] : asset.plain);
  });
}

/** A person gets the page, which says that there is no such page; a program what it can read. */
export function answerNowhere(page: Page): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const isPersons =
      request.method === "GET" && /\btext\/html\b/i.test(request.headers.accept ?? "");
    if (isPersons) void sendIndex(reply.code(404), page);
    else answerNotFound(request, reply);
  };
}

function sendIndex(reply: FastifyReply, { index }: Page): FastifyReply {
  // After an upgrade its files have other names.
  return reply
    .headers({ ...pageHeaders, "Cache-Control": "no-cache" })
    .type("text/html; charset=utf-8")
    .send(index);
}
