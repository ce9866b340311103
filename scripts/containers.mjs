/**
 * What the tests of `test/containers` need: an engine that holds stand-ins for the images of docker-compose.yml.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEngine } from "./container-engine.mjs";
import { writeImages } from "./container-images.mjs";
import { ScriptError } from "./run.mjs";
import { projectFolder } from "./setup.mjs";
import { toolPath } from "./tools.mjs";

/**
 * @param {(line: string) => void} log
 * @returns {Promise<{ env?: Record<string, string>, missing?: string, stop?: () => Promise<void> }>} The environment
 *   for the tests, and how to end; or why there is none.
 */
export async function startContainers(log) {
  const startedMs = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "plimsoll-images-"));
  try {
    const engine = await startEngine(log);
    try {
      await writeImages(imageNames(), folder, log);
      await engine.load(folder);
    } catch (error) {
      await engine.stop();
      throw error;
    }
    log(`containers: ready in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    return { env: { PLIMSOLL_TEST_DOCKER_HOST: engine.host }, stop: engine.stop };
  } catch (error) {
    if (error instanceof ScriptError) return { missing: error.message };
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The images of docker-compose.yml by service. @returns {Record<string, string>} */
function imageNames() {
  const compose = toolPath("docker-compose");
  if (compose === undefined)
    throw new ScriptError("there is no Compose to read docker-compose.yml with");
  const args = ["--env-file", "/dev/null", "--profile", "*", "config", "--format", "json"];
  const { stdout, stderr, status } = spawnSync(compose, args, {
    cwd: projectFolder,
    encoding: "utf8",
  });
  if (status !== 0) throw new ScriptError(`docker-compose.yml cannot be read: ${stderr}`);
  /** @type {{ services: Record<string, { image: string }> }} */
  const { services } = JSON.parse(stdout);
  return Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
}
