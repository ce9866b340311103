/** `plimsoll runs` on the store of this machine and on a server: the same run, the same words. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunListView, RunView } from "../../src/server/api/run-view.ts";
import { type CloudServer, startCloudServer } from "../support/cloud-server.ts";
import { type PlimsollResult, runPlimsoll, words } from "../support/plimsoll.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

let shop: Shop;
let receiver: ReceiverServer;
let folder: TemporaryFolder;
let server: CloudServer;

beforeAll(async () => {
  shop = await startShop();
  receiver = await startReceiverServer();
  folder = await createTemporaryFolder();
  const flags = ["--data-dir", join(folder.path, "data")];
  server = await startCloudServer({ writeUrl: receiver.url, flags });
  for (const testid of ["stores", "servers"]) {
    const load = `run ${shop.url}/products --test shop --testid ${testid} --rate 20 --duration 1s`;
    const { exitCode, stderr } = await plimsoll(words(`${load} --tag release=7`), {
      PLIMSOLL_OUT: `prometheus-rw=${receiver.url}`,
    });
    expect(exitCode, stderr).toBe(0);
  }
});
afterAll(async () => {
  for (const one of [server, receiver, shop, folder]) await one[Symbol.asyncDispose]();
});

describe.each(["stores", "servers"])("plimsoll runs, of the %s", (testid) => {
  const runs = async (args: readonly string[]): Promise<PlimsollResult> =>
    await plimsoll(
      ["runs", ...args],
      testid === "servers"
        ? { PLIMSOLL_SERVER: server.url, PLIMSOLL_TOKEN: server.adminToken }
        : {},
    );

  it("lists, shows, notes, exports and deletes", async () => {
    const listed = await runs(words(`list --search ${testid} --tag release=7 --state finished`));
    expect(listed.stdout).toMatch(/^ID +TEST +STATE .*\n\d+ +shop +finished .*\n$/);

    expect(await runs(["note", testid, "before the sale"])).toMatchObject({ exitCode: 0 });
    const shown = await runs(["show", testid]);
    expect(shown.stdout).toContain(`testid ${testid}, test shop\n     state  finished, passed\n`);
    expect(shown.stdout).toContain("      note  before the sale\n");
    expect(shown.stdout).toContain(`   samples  ${receiver.url}, label testid="${testid}"\n`);
    expect(shown.stdout).toMatch(/^http_req_duration +\d+ /m);

    const file = join(folder.path, `${testid}.json`);
    expect(await runs(["export", testid, "--output", file])).toMatchObject({ exitCode: 0 });
    const exported: { run: RunView; log: unknown } = JSON.parse(await readFile(file, "utf8"));
    expect(exported).toMatchObject({ run: { testid, note: "before the sale" }, log: [] });
    expect(JSON.parse((await runs(["show", testid, "--json"])).stdout)).toEqual(exported.run);
    // What is there is not overwritten.
    expect(await runs(["export", testid, "--output", file])).toMatchObject({ exitCode: 4 });

    expect(await runs(["delete", testid])).toMatchObject({ exitCode: 0 });
    expect(await runs(["show", testid])).toMatchObject({
      exitCode: 2,
      stderr: `plimsoll: there is no run "${testid}"\n`,
    });
    const left: RunListView = JSON.parse((await runs(["list", "--json"])).stdout);
    expect(left.runs.map((run) => run.testid)).not.toContain(testid);
  });
});

async function plimsoll(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PlimsollResult> {
  const PLIMSOLL_DATA_DIR = join(folder.path, "data");
  return await runPlimsoll(args, { folder: folder.path, env: { PLIMSOLL_DATA_DIR, ...env } });
}
