/**
 * The package as its users get it: packed, and unpacked into an empty project beside the dependencies that it declares.
 *
 * The dependencies are links to those of this clone, so nothing is downloaded; one that is not declared is not found.
 * `npm run check:package` installs the tarball with npm itself.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createTemporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);
const clone = fileURLToPath(new URL("../../", import.meta.url));

export interface InstalledPackage extends AsyncDisposable {
  /** The project's. */
  readonly folder: string;
  /** The package's, below it. */
  readonly packageFolder: string;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is built is packed: it does not build. `types` are further packages of this clone, for the compiler. */
export async function installPackage(types: readonly string[] = []): Promise<InstalledPackage> {
  const project = await createTemporaryFolder();
  const folder = project.path;
  const packageFolder = join(folder, "node_modules", "plimsoll");
  await mkdir(packageFolder, { recursive: true });
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", args, { cwd: clone });
  const [packed]: readonly { readonly filename: string }[] = JSON.parse(stdout);
  if (packed === undefined) throw new Error("npm pack made no file");
  const tarball = join(folder, packed.filename);
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", packageFolder]);
  const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    await readFile(join(packageFolder, "package.json"), "utf8"),
  );
  for (const name of [...Object.keys(manifest.dependencies), ...types]) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(clone, "node_modules", name), link);
  }
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  return { folder, packageFolder, [Symbol.asyncDispose]: () => project[Symbol.asyncDispose]() };
}

/** Runs a module of the project, with a home folder of its own and no option from outside. */
export async function runModule(
  { folder }: InstalledPackage,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  const ownEnv = { PATH: process.env["PATH"], HOME: folder, ...env };
  // One that hangs is killed, and is no result.
  const options = { cwd: folder, env: ownEnv, timeout: 60_000 };
  try {
    return { exitCode: 0, ...(await run(process.execPath, args, options)) };
  } catch (error) {
    // What execFile throws for another exit code than 0.
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { exitCode: code, stdout, stderr };
  }
}
