/**
 * Paths as a tree of folders.
 */

export interface Folder {
  /** Of several where nothing else is between them: `lib/http`. Empty for the root. */
  readonly name: string;
  /** Sorted by name, as the files are. */
  readonly folders: readonly Folder[];
  readonly files: readonly { readonly name: string; readonly path: string }[];
}

interface GrowingFolder {
  readonly folders: Map<string, GrowingFolder>;
  readonly files: { readonly name: string; readonly path: string }[];
}

/** Deeper ones are not folded: a path of a megabyte of slashes is one name. */
const maxDepth = 40;

/** @param paths with slashes between folders; the root of the tree is the innermost folder that has all of them */
export function toFileTree(paths: readonly string[]): Folder {
  const root: GrowingFolder = { folders: new Map(), files: [] };
  for (const path of paths) {
    const names = path.split("/");
    const folders = names.length > maxDepth ? [] : names.slice(0, -1);
    let folder = root;
    for (const name of folders) {
      const inner = folder.folders.get(name) ?? { folders: new Map(), files: [] };
      folder.folders.set(name, inner);
      folder = inner;
    }
    folder.files.push({ name: names.slice(folders.length).join("/"), path });
  }
  let top = root;
  for (let only = onlyFolderOf(top); only; only = onlyFolderOf(top)) [, top] = only;
  return toFolder("", top);
}

function toFolder(name: string, { folders, files }: GrowingFolder): Folder {
  return {
    name,
    folders: [...folders].map(([inner, content]) => joined(inner, content)).sort(byName),
    files: files.toSorted(byName),
  };
}

/** A folder that holds nothing but a folder is one with it. */
function joined(name: string, folder: GrowingFolder): Folder {
  const only = onlyFolderOf(folder);
  return only ? joined(`${name}/${only[0]}`, only[1]) : toFolder(name, folder);
}

function onlyFolderOf({ folders, files }: GrowingFolder): [string, GrowingFolder] | undefined {
  return files.length === 0 && folders.size === 1 ? [...folders][0] : undefined;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
