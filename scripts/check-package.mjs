/**
 * `npm run check:package`: what users get, checked as users get it.
 *
 * Packs the package (which builds it), has publint and attw read the tarball, installs it into an empty project and
 * runs the command and the import that the README promises, and opens the page that the installed server has.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ScriptError, fail, run } from "./run.mjs";
import { dependencyProgram, projectFolder } from "./setup.mjs";

const { name, version } = JSON.parse(
  readFileSync(path.join(projectFolder, "package.json"), "utf8"),
);
const folder = mkdtempSync(path.join(tmpdir(), "plimsoll-package-"));
try {
  await run("npm", ["pack", "--loglevel=warn", "--pack-destination", folder], {
    cwd: projectFolder,
  });
  const [archive] = readdirSync(folder);
  if (archive === undefined) throw new ScriptError("npm pack made no file");
  const tarball = path.join(folder, archive);

  await run(dependencyProgram("publint"), ["--strict", tarball]);
  await run(dependencyProgram("attw"), [tarball, "--profile", "esm-only"]);

  writeFileSync(path.join(folder, "package.json"), '{ "private": true, "type": "module" }');
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], {
    cwd: folder,
  });

  const printed = output(path.join(folder, "node_modules", ".bin", name), ["--version"]).trim();
  if (printed !== version) {
    throw new ScriptError(
      `${name} --version prints ${JSON.stringify(printed)}; expected ${version}`,
    );
  }
  const list = `import * as library from ${JSON.stringify(name)}; console.log(Object.keys(library).join());`;
  const names = output(process.execPath, ["--input-type=module", "--eval", list]).trim();
  if (names === "") throw new ScriptError(`import of ${JSON.stringify(name)} gives no exports`);
  // What `plimsoll up` starts from the package, which has to find its own dependencies there.
  const shop = path.join(folder, "node_modules", name, "examples", "shop", "server.mjs");
  if (!output(process.execPath, [shop, "--help"]).startsWith("Usage:")) {
    throw new ScriptError("the packaged shop prints no help");
  }
  await checkPage(path.join(folder, "node_modules", ".bin", name));
  const packed = folderSize(path.join(folder, "node_modules", name));
  const installed = folderSize(path.join(folder, "node_modules"));
  console.log(
    `${archive}: ${megabytes(statSync(tarball).size)}, unpacked ${packed.files} files of ${megabytes(packed.bytes)}; ` +
      `installed with its dependencies ${installed.files} files of ${megabytes(installed.bytes)}`,
  );
  console.log(`${archive} installs, runs and exports ${names}`);
} catch (error) {
  fail(error);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * The page is in the package, and a browser gets its script.
 *
 * @param {string} program
 */
async function checkPage(program) {
  // The store is never asked: there is no run.
  const out = ["--out", "prometheus-rw=http://127.0.0.1:9/api/v1/write"];
  const args = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--data-dir",
    path.join(folder, "data"),
    ...out,
  ];
  const server = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(server, "close");
  try {
    let said = "";
    /** @type {Promise<void>} */
    const greeted = new Promise((resolve) => {
      server.stderr.setEncoding("utf8").on("data", (text) => {
        said += text;
        if (said.includes("k6 cloud run")) resolve();
      });
    });
    await Promise.race([greeted, ended]);
    const [, url] = /serving at (\S+);/.exec(said) ?? [];
    if (url === undefined) throw new ScriptError(`the packaged server does not start: ${said}`);
    const index = await (await fetch(`${url}/runs/1`)).text();
    const [, script] = /<script[^>]* src="\.\/(assets\/[^"]+\.js)"/.exec(index) ?? [];
    if (script === undefined) throw new ScriptError(`the page has no script: ${index}`);
    const texts = new Set();
    for (const encoding of ["br", "gzip", null]) {
      const answer = await fetch(`${url}/${script}`, {
        headers: { "Accept-Encoding": encoding ?? "identity" },
      });
      const type = answer.headers.get("content-type") ?? "";
      const encoded = answer.headers.get("content-encoding");
      if (!answer.ok || !type.startsWith("text/javascript") || encoded !== encoding) {
        throw new ScriptError(
          `/${script} is answered ${answer.status}, ${type}, encoded ${encoded}; expected ${encoding}`,
        );
      }
      texts.add(await answer.text());
    }
    if (texts.size > 1) throw new ScriptError(`/${script} is another one where it is compressed`);
  } finally {
    server.kill();
    await ended;
  }
}

/** @param {string} parent */
function folderSize(parent) {
  const files = readdirSync(parent, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const sizes = files.map((file) => statSync(path.join(file.parentPath, file.name)).size);
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function output(program, args) {
  return execFileSync(program, args, { cwd: folder, encoding: "utf8" });
}
