/**
 * The server's certificate and key, read from their files, and again when these change: a renewed certificate needs no
 * restart.
 */
import { readFile } from "node:fs/promises";
import { Server as SecureServer } from "node:https";
import type { Server } from "node:http";
import { createSecureContext } from "node:tls";
import type { Clock } from "../clock.ts";
import { InputError, messageOf } from "../errors.ts";
import type { Certificate } from "./http-server.ts";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A file system tells of changes in too many ways, and of some not at all: the files are read again this often. */
const checkIntervalMs = 10_000;

/** @throws InputError for files that cannot be read, or are no certificate with its key */
export async function readCertificate({ cert, key }: CertificateFiles): Promise<Certificate> {
  try {
    const certificate = { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
    createSecureContext(certificate);
    return certificate;
  } catch (cause) {
    throw new InputError(
      `the certificate ${JSON.stringify(cert)} with the key ${JSON.stringify(key)} cannot be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Until aborted, gives the server what is in the files. What cannot be used, as a certificate whose key is still being
 * written, changes nothing, and is told once.
 */
export async function renewCertificate(
  server: Server,
  files: CertificateFiles,
  {
    current,
    clock,
    signal,
    onNotice,
  }: {
    readonly current: Certificate;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onNotice: (text: string) => void;
  },
): Promise<void> {
  if (!(server instanceof SecureServer)) return;
  let { cert, key } = current;
  let told = "";
  while (!signal.aborted) {
    try {
      await clock.sleep(checkIntervalMs, signal);
    } catch {
      // Aborted: the server stops.
      return;
    }
    try {
      const next = await readCertificate(files);
      if (next.cert === cert && next.key === key) continue;
      server.setSecureContext(next);
      ({ cert, key } = next);
      told = "";
      onNotice("took the new certificate");
    } catch (error) {
      const text = `${messageOf(error)}; the one before is kept`;
      if (text !== told) onNotice(text);
      told = text;
    }
  }
}
