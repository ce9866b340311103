/**
 * What is around every page: where one is, who is signed in, in which time zone times are.
 */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useAttempt } from "./api/use-attempt.ts";
import { formatFullTime, zoneName } from "./format/time.ts";
import logo from "./logo.svg";
import { currentTarget, hrefOf, navigate, usePlace } from "./navigation/place.ts";
import { Button } from "./parts/button.tsx";
import { PlainText } from "./parts/plain-text.tsx";
import { useSession } from "./session/session.tsx";

export function Frame({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { view, signOut } = useSession();
  const { path } = usePlace();
  const { principal } = view;
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const leaving = useAttempt(async () => {
    await signOut();
    navigate("/sign-in");
  });

  // Who cannot see the page is told that it is another one, and goes on at its top.
  useEffect(() => {
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [path]);

  const seesAll = principal !== null && principal.runId === null;
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      <header class="frame-header">
        <a class="brand" href={hrefOf("/runs")}>
          <img src={logo} alt="" width="22" height="22" />
          Plimsoll
        </a>
        {seesAll && (
          <nav aria-label="Pages">
            <NavLink to="/runs" isHere={path === "/" || path.startsWith("/runs")} name="Runs" />
            <NavLink to="/compare" isHere={path === "/compare"} name="Compare" />
          </nav>
        )}
        {principal && (
          <div class="who">
            <span>
              {principal.role === "share" ? (
                <>shared with you{principal.expires !== null && <Until at={principal.expires} />}</>
              ) : (
                <>
                  <PlainText text={principal.name} limit={40} isCutForGood />{" "}
                  <span class="quiet">({principal.role})</span>
                </>
              )}
            </span>
            {principal.role === "share" ? (
              <a href={hrefOf(`/sign-in?to=${encodeURIComponent(currentTarget())}`)}>Sign in</a>
            ) : (
              <Button kind="bare" isBusy={leaving.isBusy} onClick={() => void leaving.attempt()}>
                Sign out
              </Button>
            )}
            {leaving.error !== undefined && <span role="alert">{leaving.error}</span>}
          </div>
        )}
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer class="frame-footer">
        <span>Times in {zoneName(Date.now())}</span>
        <span>Plimsoll {view.version}</span>
      </footer>
    </>
  );
}

function Until({ at }: { readonly at: string }): JSX.Element {
  return <> until {formatFullTime(Date.parse(at))}</>;
}

interface NavLinkProps {
  readonly to: string;
  readonly isHere: boolean;
  readonly name: string;
}

function NavLink({ to, isHere, name }: NavLinkProps): JSX.Element {
  return (
    <a href={hrefOf(to)} {...(isHere && { "aria-current": "page" })}>
      {name}
    </a>
  );
}
