import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { grafanaHome, grafanaPasswordFile, prepareGrafana } from "../../../src/stack/grafana.ts";
import { packagedFile } from "../../../src/stack/packaged-files.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const prepare = () =>
  prepareGrafana({
    folder: folder.path,
    port: 3100,
    prometheusUrl: "http://127.0.0.1:9190",
    scrapeInterval: "1s",
  });

function readProvisioned(path: string): unknown {
  return parse(readFileSync(join(folder.path, "provisioning", path), "utf8"));
}

it("points the packaged data source and dashboards at this machine", () => {
  expect(prepare()).toMatchObject({
    GF_PATHS_PROVISIONING: join(folder.path, "provisioning"),
    GF_SERVER_HTTP_ADDR: "127.0.0.1",
    GF_SERVER_HTTP_PORT: "3100",
  });
  expect(readProvisioned("datasources/prometheus.yml")).toMatchObject({
    datasources: [
      {
        uid: "prometheus",
        type: "prometheus",
        url: "http://127.0.0.1:9190",
        jsonData: { timeInterval: "1s", httpMethod: "POST" },
      },
    ],
  });
  expect(readProvisioned("dashboards/plimsoll.yml")).toMatchObject({
    providers: [{ type: "file", options: { path: packagedFile("dashboards") } }],
  });
});

it.each([
  ["an archive", "grafana", "grafana/bin"],
  ["Homebrew", "Cellar/grafana/13.2.3/share/grafana", "Cellar/grafana/13.2.3/bin"],
])("finds the files of Grafana as %s has them", (_, home, bin) => {
  const [homePath, binPath] = [join(folder.path, home), join(folder.path, bin)];
  mkdirSync(join(homePath, "conf"), { recursive: true });
  mkdirSync(binPath, { recursive: true });
  writeFileSync(join(homePath, "conf/defaults.ini"), "");
  writeFileSync(join(binPath, "grafana"), "");
  expect(grafanaHome(join(binPath, "grafana"))).toBe(realpathSync(homePath));
});

it("keeps one random password, for its owner alone", () => {
  const password = prepare()["GF_SECURITY_ADMIN_PASSWORD"];
  expect(password).toMatch(/^[\w-]{24}$/);
  expect(prepare()["GF_SECURITY_ADMIN_PASSWORD"]).toBe(password);
  const file = grafanaPasswordFile(folder.path);
  expect(readFileSync(file, "utf8").trim()).toBe(password);
  expect(statSync(file).mode & 0o077).toBe(0);
});
