/**
 * What the audit may install: Grafana's libraries are Apache 2.0, its panel plugins and its Prometheus data source
 * are AGPL, and one of the latter would come as quietly as any dependency.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Package {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Record<string, Package>;
};
const { "": own, ...packages } = lock.packages;

/** Small ones that do not say it in their package.json; their repositories have the Unlicense or MIT. */
const silent = ["fast-shallow-equal", "get-document", "react-universal-interface"];

it("installs nothing under the AGPL, nor without a license", () => {
  const licenses = Object.entries(packages).map(([path, { license }]) => ({ path, license }));
  expect(licenses.length).toBeGreaterThan(300);
  expect(licenses.filter(({ license }) => /AGPL|SSPL|BUSL/i.test(license ?? ""))).toEqual([]);
  const unnamed = licenses.filter(({ license }) => license === undefined);
  expect(unnamed.map(({ path }) => path.replace("node_modules/", "")).toSorted()).toEqual(silent);
});

it("pins every version, and Grafana's libraries to one release", () => {
  const wanted = { ...own!.dependencies, ...own!.devDependencies };
  expect(Object.values(wanted).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  const released = ["data", "e2e-selectors", "i18n", "runtime", "schema", "ui"];
  const versions = released.map((name) => packages[`node_modules/@grafana/${name}`]?.version);
  expect([...new Set(versions)]).toEqual([expect.stringMatching(/^13\.2\./)]);
});
