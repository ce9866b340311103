/**
 * The page as the server gives it: the files that `npm run build` made of `src/web/`, read once.
 *
 * In:  `dist/web/`: index.html, and `assets/` whose names have the hash of what is in them, with their compressed forms
 *      beside them (`src/web/compress.ts`).
 * Out: index.html with the path that browsers reach the server under, and the assets by name: no path is ever looked up.
 */
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** In the order in which they are preferred. */
const encodings = { br: ".br", gzip: ".gz" } as const;
export type Encoding = keyof typeof encodings;

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly compressed: Readonly<Partial<Record<Encoding, Buffer>>>;
}

export interface Page {
  readonly index: string;
  /** By name below `assets/`. */
  readonly assets: ReadonlyMap<string, Asset>;
}

/** From `src/server/page/` and from `dist/server/page/`. */
const builtPage = fileURLToPath(new URL("../../../dist/web", import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** @param publicUrl as browsers reach the server */
export async function readPage(publicUrl: string, folder: string = builtPage): Promise<Page> {
  const names = await readdir(join(folder, "assets"));
  const files = new Map<string, Buffer>();
  for (const name of names) files.set(name, await readFile(join(folder, "assets", name)));
  const assets = new Map<string, Asset>();
  for (const [name, plain] of files) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const compressed = Object.fromEntries(
      Object.entries(encodings).flatMap(([encoding, suffix]) => {
        const file = files.get(name + suffix);
        return file ? [[encoding, file]] : [];
      }),
    );
    assets.set(name, { type, plain, compressed });
  }
  return { index: withBase(await readFile(join(folder, "index.html"), "utf8"), publicUrl), assets };
}

/** A proxy may show the server under a path, which it takes away before it hands requests on. */
function withBase(index: string, publicUrl: string): string {
  const { pathname } = new URL(publicUrl);
  const base = pathname.endsWith("/") ? pathname : `${pathname}/`;
  // A URL has no quotes; `&` it may have.
  const tag = `<base href="${base.replaceAll("&", "&amp;")}" />`;
  const placed = index.replace('<base href="/" />', () => tag);
  if (!placed.includes(tag)) throw new Error('the page has no <base href="/" />');
  return placed;
}

/** The form that a client takes, by its `Accept-Encoding`. Source: RFC 9110, 12.5.3; `*` is no browser's. */
export function encodingFor(accepted: string | undefined, asset: Asset): Encoding | undefined {
  const taken = (accepted ?? "")
    .toLowerCase()
    .split(",")
    .map((item) => item.trim().split(/\s*;\s*/))
    .filter(([, weight]) => !/^q=0(?:\.0*)?$/.test(weight ?? ""))
    .map(([name]) => name);
  return (["br", "gzip"] as const).find(
    (encoding) => taken.includes(encoding) && asset.compressed[encoding],
  );
}
