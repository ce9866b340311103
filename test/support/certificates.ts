/**
 * Certificates made on the spot by openssl: an authority, and what it signs for this machine.
 *
 * Without openssl a suite that needs it says by name that it was skipped, and fails where `REQUIRE_SERVICES=1`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";

/** PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** For 127.0.0.1, `prom.test` and as a client. */
  issue(name: string): Certificate;
}

/** @param folder Where its files may be. */
export function createAuthority(folder: string, name: string): Authority {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const extensions = ["-addext", "basicConstraints=critical,CA:TRUE"];
  const own = createCertificate(files, ["-subj", `/CN=${name}`, ...extensions]);
  return {
    ...own,
    issue: (leaf) =>
      createCertificate(
        { cert: join(folder, `${leaf}.pem`), key: join(folder, `${leaf}.key`) },
        // prettier-ignore
        ["-subj", `/CN=${leaf}`, "-CA", files.cert, "-CAkey", files.key,
          "-addext", "basicConstraints=critical,CA:FALSE",
          "-addext", "subjectAltName=IP:127.0.0.1,DNS:prom.test"],
      ),
  };
}

function createCertificate(
  { cert, key }: Certificate,
  options: readonly string[],
): { cert: string; key: string } {
  execFileSync(
    "openssl",
    // prettier-ignore
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      ...options, "-keyout", key, "-out", cert],
    { stdio: "ignore" },
  );
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** Like `describe`. */
export function describeWithOpenssl(name: string, body: () => void): void {
  if (hasOpenssl()) {
    describe(name, body);
  } else if (process.env["REQUIRE_SERVICES"] === "1") {
    it(name, () => {
      throw new Error("openssl is not installed");
    });
  } else {
    it.skip(`${name} (openssl is not installed)`);
  }
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    // Not installed.
    return false;
  }
}
