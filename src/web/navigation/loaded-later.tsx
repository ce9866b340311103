/**
 * A component in a file of its own, which is fetched when it is first drawn.
 *
 * Names of files change with their content: where the server was updated since the page was opened, its old files are gone.
 */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { Notice } from "../parts/notice.tsx";

export function loadedLater<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => JSX.Element {
  let loaded: ComponentType<Props> | undefined;
  return function Later(props) {
    const [state, setState] = useState<"loading" | "ready" | "failed">(
      loaded ? "ready" : "loading",
    );
    useEffect(() => {
      if (loaded) return;
      const fetch = async (): Promise<void> => {
        try {
          loaded = await load();
          setState("ready");
        } catch (error) {
          reportError(error);
          setState("failed");
        }
      };
      void fetch();
    }, []);
    if (loaded) {
      const Component = loaded;
      return <Component {...props} />;
    }
    if (state === "loading") return <p aria-busy="true" class="loading" />;
    return (
      <Notice tone="bad" title="This part of the page could not be loaded.">
        <p>The server may have been updated since the page was opened, or may be away.</p>
        <Button onClick={() => location.reload()}>Load the page again</Button>
      </Notice>
    );
  };
}
