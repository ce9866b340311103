/**
 * Files in their folders. What all of them have in front is left out: archives hold absolute paths.
 */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { PlainText } from "../parts/plain-text.tsx";
import { toFileTree, type Folder } from "./folder.ts";

interface FileTreeProps {
  readonly files: readonly { readonly path: string }[];
  /** The one that k6 was started with. */
  readonly main: string | null;
  readonly chosen: string | undefined;
  readonly onChoose: (path: string) => void;
}

export function FileTree({ files, ...rest }: FileTreeProps): JSX.Element {
  const tree = useMemo(() => toFileTree(files.map(({ path }) => path)), [files]);
  return <FolderItems folder={tree} {...rest} />;
}

interface FolderItemsProps extends Omit<FileTreeProps, "files"> {
  readonly folder: Folder;
}

function FolderItems({ folder, ...rest }: FolderItemsProps): JSX.Element {
  const { main, chosen, onChoose } = rest;
  return (
    <ul>
      {folder.folders.map((inner) => (
        <li key={`${inner.name}/`}>
          <details open>
            <summary>
              <PlainText text={`${inner.name}/`} limit={80} isCutForGood />
            </summary>
            <FolderItems folder={inner} {...rest} />
          </details>
        </li>
      ))}
      {folder.files.map(({ name, path }) => (
        <li key={path}>
          <button
            type="button"
            class="link-button"
            {...(path === chosen && { "aria-current": "true" })}
            onClick={() => onChoose(path)}
          >
            <PlainText text={name} limit={80} isCutForGood />
            {path === main && <span class="quiet"> (main)</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
