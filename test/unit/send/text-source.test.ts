import { rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { openSecretFile, TextFile } from "../../../src/send/text-source.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

describe("a text in a file", () => {
  it("is the new one as soon as the file is another, however it is replaced", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "text");
    await writeFile(path, "one");
    const file = await TextFile.open(path);
    expect(await file.read()).toBe("one");
    await writeFile(path, "longer");
    expect(await file.read()).toBe("longer");
    await writeFile(join(folder.path, "next"), "renamed");
    await rename(join(folder.path, "next"), path);
    expect(await file.read()).toBe("renamed");
  });

  it("follows a symbolic link to a file as old and as long as the last, as Kubernetes replaces a secret", async () => {
    await using folder = await createTemporaryFolder();
    const [old, next, link] = ["old", "next", "link"].map((name) => join(folder.path, name));
    if (old === undefined || next === undefined || link === undefined) throw new Error("no names");
    await writeFile(old, "aaa");
    await writeFile(next, "bbb");
    const time = new Date(1_700_000_000_000);
    await utimes(old, time, time);
    await utimes(next, time, time);
    await symlink(old, link);
    const file = await TextFile.open(link);
    await symlink(next, `${link}.new`);
    await rename(`${link}.new`, link);
    expect(await file.read()).toBe("bbb");
  });

  it("stays the last one while the file is gone or empty", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "text");
    await writeFile(path, "one");
    const file = await TextFile.open(path);
    await rm(path);
    expect(await file.read()).toBe("one");
    await writeFile(path, "\n");
    expect(await file.read()).toBe("one");
    expect(await file.reread()).toBe("one");
    await writeFile(path, "two");
    expect(await file.read()).toBe("two");
  });

  it("is read again on demand, even where the file looks the same", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "text");
    await writeFile(path, "aaa");
    const { mtime, atime } = await stat(path);
    await utimes(path, atime, mtime);
    const file = await TextFile.open(path);
    await writeFile(path, "bbb");
    // Milliseconds, where the file system keeps more: whatever is left of them, `reread` does not depend on it.
    await utimes(path, atime, mtime);
    expect(await file.reread()).toBe("bbb");
    expect(await file.read()).toBe("bbb");
  });

  it("ends without the newline of an editor, where it is a secret", async () => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "secret");
    await writeFile(path, " s3cret \r\n");
    expect(await (await openSecretFile(path)).read()).toBe(" s3cret ");
  });

  it.each(["missing", "empty"])("cannot be opened where it is %s", async (how) => {
    await using folder = await createTemporaryFolder();
    const path = join(folder.path, "text");
    if (how === "empty") await writeFile(path, "\n");
    await expect(TextFile.open(path)).rejects.toThrow(InputError);
    await expect(TextFile.open(path)).rejects.toThrow(`"${path}" cannot be read: `);
  });
});
