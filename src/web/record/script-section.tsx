/**
 * The files that the run's script is made of, to be read.
 */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ScriptView } from "../../server/api/script-view.ts";
import { type ApiError, apiUrl, ask, withQuery } from "../api/client.ts";
import { useAnswer } from "../api/use-answer.ts";
import { formatBytes, formatPlural } from "../format/number.ts";
import { visibleText } from "../format/visible-text.ts";
import { loadedLater } from "../navigation/loaded-later.tsx";
import { Failure } from "../parts/failure.tsx";
import { Notice } from "../parts/notice.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { hasRole } from "../session/session.tsx";
import { FileTree } from "./file-tree.tsx";
import { RunSection, type SectionProps } from "./section.tsx";

const HighlightedCode = loadedLater(
  async () => (await import("./highlighted-code.tsx")).HighlightedCode,
);

/** Beyond, colours cost more than they tell: generated bundles and data. */
const highlightedLimit = 300_000;

export function ScriptSection({ run, session }: SectionProps): JSX.Element {
  return (
    <RunSection id="script" title="Script">
      {run.archiveBytes > 0 ? (
        <Script id={run.id} mayKeep={hasRole(session, "read")} />
      ) : (
        <p class="quiet">
          The generator sent no script: <code>k6 cloud run --local-execution</code> does, unless it
          is told <code>--no-archive-upload</code>; <code>k6 run --out cloud</code> does not.
        </p>
      )}
    </RunSection>
  );
}

function Script({ id, mayKeep }: { readonly id: number; readonly mayKeep: boolean }): JSX.Element {
  const { answer, error, reload } = useAnswer<ScriptView>(`/runs/${id}/script`);
  const [chosen, setChosen] = useState<string>();
  if (error) return <Failure what="The script could not be read" error={error} onRetry={reload} />;
  if (!answer) return <p aria-busy="true" class="loading" />;
  const path = chosen ?? answer.main ?? answer.files[0]?.path;
  return (
    <>
      {answer.files.length === 0 && <p class="quiet">The archive holds no file that is a text.</p>}
      <div class="script">
        {answer.files.length > 1 && (
          <nav class="file-tree" aria-label="Files of the script">
            <FileTree files={answer.files} main={answer.main} chosen={path} onChoose={setChosen} />
          </nav>
        )}
        {path !== undefined && <ScriptFile key={path} id={id} path={path} />}
      </div>
      <p class="quiet">
        {formatPlural(answer.files.length, "file")}, read-only; what is secret was taken out when it
        came.
        {mayKeep && (
          <>
            {" "}
            <a href={apiUrl(`/runs/${id}/archive`)} download>
              Download the archive
            </a>
          </>
        )}
      </p>
    </>
  );
}

interface FileContent {
  readonly text: string;
  readonly isCut: boolean;
}

function ScriptFile({ id, path }: { readonly id: number; readonly path: string }): JSX.Element {
  const [content, setContent] = useState<FileContent>();
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    readScriptFile(id, path, controller.signal).then(setContent, (failure: unknown) => {
      if (!controller.signal.aborted) setError(failure as ApiError); // it rejects with nothing else
    });
    return () => controller.abort();
  }, [id, path, round]);
  if (error) {
    const retry = (): void => {
      setError(undefined);
      setRound(round + 1);
    };
    return <Failure what="The file could not be read" error={error} onRetry={retry} />;
  }
  if (!content) return <p aria-busy="true" class="loading" />;
  return (
    <div class="script-file">
      <p class="script-file-name">
        <PlainText text={path} />{" "}
      </p>
      <CodeBlock path={path} text={content.text} />
      {content.isCut && (
        <Notice tone="warn" title={`Only the first ${formatBytes(1 << 20)} are shown.`}>
          <p>The archive has all of it.</p>
        </Notice>
      )}
    </div>
  );
}

function CodeBlock({ path, text }: { readonly path: string; readonly text: string }): JSX.Element {
  const lines = useMemo(() => text.split("\n").length, [text]);
  const numbers = useMemo(
    () => Array.from({ length: lines }, (_, line) => line + 1).join("\n"),
    [lines],
  );
  const isCode = /\.[cm]?[jt]sx?$/i.test(path) && text.length <= highlightedLimit;
  return (
    // What scrolls must be reached with the keyboard.
    <div class="code-block numbered" tabIndex={0} role="region" aria-label={visibleText(path)}>
      <pre class="line-numbers" aria-hidden="true">
        {numbers}
      </pre>
      <pre class="code-text">
        {isCode ? <HighlightedCode code={text} /> : <PlainText text={text} limit={200_000} />}
      </pre>
    </div>
  );
}

/** @throws ApiError */
async function readScriptFile(id: number, path: string, signal: AbortSignal): Promise<FileContent> {
  const response = await ask(withQuery(`/runs/${id}/script/file`, { path }), { signal });
  return {
    text: await response.text(),
    isCut: response.headers.get("X-Plimsoll-Truncated") === "true",
  };
}
