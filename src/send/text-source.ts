/**
 * A text that may change while we run: a password, a token, a certificate.
 *
 * In:  a text, or the path of a file. Out: the text as of now. A file is looked at (one `stat`) whenever its text is
 * asked for and read again when it is another one, so there are no timers, and a secret that an orchestrator replaces
 * (Kubernetes exchanges a symbolic link) is taken with the next request.
 */
import { readFile, stat } from "node:fs/promises";
import { InputError, messageOf } from "../errors.ts";

export interface TextSource {
  /** As it is now. Never rejects. */
  read(): Promise<string>;
  /** As `read`, but reads a file even where it looks the same. */
  reread(): Promise<string>;
}

export function fixedText(text: string): TextSource {
  const read = () => Promise.resolve(text);
  return { read, reread: read };
}

/** Opened with a first text, so it always has one: it keeps the last that it could read, and that was not empty. */
export class TextFile implements TextSource {
  readonly #path: string;
  #version: string;
  #text: string;

  /** @throws InputError if the file cannot be read, or is empty */
  static async open(path: string): Promise<TextFile> {
    try {
      const version = await versionOf(path);
      const text = await readFile(path, "utf8");
      if (text.trim() === "") throw new Error("it is empty");
      return new TextFile(path, version, text);
    } catch (cause) {
      throw new InputError(`${JSON.stringify(path)} cannot be read: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  private constructor(path: string, version: string, text: string) {
    this.#path = path;
    this.#version = version;
    this.#text = text;
  }

  async read(): Promise<string> {
    try {
      if ((await versionOf(this.#path)) !== this.#version) return await this.reread();
    } catch {
      // Gone, perhaps for the moment in which it is replaced.
    }
    return this.#text;
  }

  async reread(): Promise<string> {
    try {
      // Before the text: what is written in between is found by the next look.
      const version = await versionOf(this.#path);
      const text = await readFile(this.#path, "utf8");
      // Empty: opened for writing, and not written yet.
      if (text.trim() !== "") {
        this.#text = text;
        this.#version = version;
      }
    } catch {
      // As above.
    }
    return this.#text;
  }
}

/** A secret's file, without the newline that an editor puts at the end. */
export async function openSecretFile(path: string): Promise<TextSource> {
  const file = await TextFile.open(path);
  const strip = (text: string) => text.replace(/\r?\n$/, "");
  return {
    read: async () => strip(await file.read()),
    reread: async () => strip(await file.reread()),
  };
}

/** Changes with the file's content. The inode, because a replacement may be as old and as long as what it replaces. */
async function versionOf(path: string): Promise<string> {
  const { mtimeNs, size, ino } = await stat(path, { bigint: true });
  return `${mtimeNs} ${size} ${ino}`;
}
