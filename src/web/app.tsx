/**
 * What is shown at which path, and to whom.
 *
 *     /  /runs     the list          /compare?base=&run=   two runs
 *     /runs/ID     one run           /sign-in?to=          asks for a token
 */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { SessionView } from "../server/api/session-view.ts";
import { ApiError, whenSignedOut } from "./api/client.ts";
import { Frame } from "./frame.tsx";
import { loadedLater } from "./navigation/loaded-later.tsx";
import { currentTarget, hrefOf, navigate, usePlace } from "./navigation/place.ts";
import { Failure } from "./parts/failure.tsx";
import { Notice } from "./parts/notice.tsx";
import { PageTitle } from "./parts/page-title.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import {
  closeSession,
  hasRole,
  openSession,
  readSession,
  type Session,
  SessionProvider,
} from "./session/session.tsx";
import { SignInPage } from "./session/sign-in-page.tsx";

const RunPage = loadedLater(async () => (await import("./run/run-page.tsx")).RunPage);
const ComparePage = loadedLater(
  async () => (await import("./compare/compare-page.tsx")).ComparePage,
);

interface AppProps {
  /** Of the link that led here. */
  readonly shareToken: string | undefined;
}

export function App({ shareToken }: AppProps): JSX.Element {
  const [view, setView] = useState<SessionView>();
  const [failure, setFailure] = useState<ApiError>();
  const [shareProblem, setShareProblem] = useState<string>();

  const begin = async (): Promise<void> => {
    setFailure(undefined);
    try {
      const found = await readSession();
      if (shareToken === undefined || hasRole(found, "read")) setView(found);
      else setView(await openSession(shareToken));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) {
        setShareProblem("This link shows nothing any more: it has expired, or was revoked.");
        setView(await readSession());
      } else setFailure(error);
    }
  };

  useEffect(() => {
    // Whose token was revoked meanwhile finds out by asking for something.
    whenSignedOut(() => setView((last) => last && { ...last, principal: null }));
    void begin();
  }, []);

  const session = useMemo<Session | undefined>(
    () =>
      view && {
        view,
        signIn: async (token) => {
          setView(await openSession(token));
          setShareProblem(undefined);
        },
        signOut: async () => setView(await closeSession()),
      },
    [view],
  );

  if (failure) {
    return (
      <main>
        <PageTitle title="Plimsoll" />
        <Failure what="The page could not begin" error={failure} onRetry={() => void begin()} />
      </main>
    );
  }
  if (!session) return <main aria-busy="true" />;
  return (
    <SessionProvider value={session}>
      <Frame>
        <Route view={session.view} shareProblem={shareProblem} />
      </Frame>
    </SessionProvider>
  );
}

interface RouteProps {
  readonly view: SessionView;
  readonly shareProblem: string | undefined;
}

function Route({ view, shareProblem }: RouteProps): JSX.Element {
  const { path, query } = usePlace();
  const { principal } = view;
  if (path === "/sign-in") return <SignInPage problem={shareProblem} />;
  if (!principal) return <SignInFirst />;
  const [, id] = /^\/runs\/([^/]+)$/.exec(path) ?? [];
  if (id !== undefined) return <RunPage key={id} id={decoded(id)} />;
  // Who sees one run only has nothing to choose from.
  if ((path === "/" || path === "/runs") && principal.runId !== null) {
    return <GoTo to={`/runs/${principal.runId}`} />;
  }
  if (path === "/" || path === "/runs") return <RunsPage />;
  if (path === "/compare") return <ComparePage base={query.get("base")} run={query.get("run")} />;
  return (
    <>
      <PageTitle title="There is no such page" />
      <Notice title="The address may have been cut off when it was copied.">
        <p>
          <a href={hrefOf("/runs")}>Go to the runs</a>
        </p>
      </Notice>
    </>
  );
}

function SignInFirst(): JSX.Element {
  return <GoTo to={`/sign-in?to=${encodeURIComponent(currentTarget())}`} />;
}

function GoTo({ to }: { readonly to: string }): JSX.Element {
  useEffect(() => navigate(to, { replace: true }), [to]);
  return <></>;
}

/** As it is where it is no valid encoding: no run is called so. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
