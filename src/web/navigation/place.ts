/**
 * Where the page is: paths and queries of the address bar, below the `<base>` that the server has set.
 *
 * Links are plain `<a href={hrefOf("/runs")}>`: one listener takes over those that lead to the page itself, so that they
 * also open in a new tab, can be copied, and say where they lead.
 */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  /** Below the base, with a slash in front: `/runs/5`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** With a slash at its end. */
const basePath = new URL(document.baseURI).pathname;
const listeners = new Set<() => void>();
let place = read();

function read(): Place {
  const { pathname, search } = globalThis.location;
  const path = pathname.startsWith(basePath) ? pathname.slice(basePath.length - 1) : "/";
  return { path, query: new URLSearchParams(search) };
}

function moved(): void {
  place = read();
  for (const listener of listeners) listener();
}

/** @param to path and query below the base, e.g. `/runs?test=checkout` */
export function hrefOf(to: string): string {
  return basePath.slice(0, -1) + to;
}

/** Where the page is, for what is on the way to somewhere else: path and query. */
export function currentTarget(): string {
  const query = place.query.toString();
  return query === "" ? place.path : `${place.path}?${query}`;
}

/** @param replace whether Back leads to where the page was before this one */
export function navigate(
  to: string,
  { replace = false }: { readonly replace?: boolean } = {},
): void {
  const href = hrefOf(to);
  if (replace) history.replaceState(history.state, "", href);
  else history.pushState(null, "", href);
  moved();
}

/** Changes what the component shows when the page goes elsewhere. */
export function usePlace(): Place {
  const [current, setCurrent] = useState(place);
  useEffect(() => {
    const listener = (): void => setCurrent(place);
    listeners.add(listener);
    // It may have gone on since it was drawn.
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return current;
}

/** To be called once. */
export function followLinks(): void {
  addEventListener("popstate", moved);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || !isPlainClick(event)) return;
    if (link.target !== "" || link.hasAttribute("download")) return;
    const written = link.getAttribute("href") ?? "";
    if (written.startsWith("#")) {
      // <base> would make another page of it.
      event.preventDefault();
      goToPart(written.slice(1));
      return;
    }
    const { origin, pathname, search } = new URL(link.href);
    if (origin !== location.origin || !pathname.startsWith(basePath)) return;
    const path = pathname.slice(basePath.length - 1);
    // What the server answers itself, e.g. a file to keep.
    if (path.startsWith("/api/")) return;
    event.preventDefault();
    navigate(path + search);
  });
}

function isPlainClick(event: MouseEvent): boolean {
  const { button, defaultPrevented, altKey, ctrlKey, metaKey, shiftKey } = event;
  return button === 0 && !defaultPrevented && !altKey && !ctrlKey && !metaKey && !shiftKey;
}

/** The part is where the keyboard goes on. */
function goToPart(id: string): void {
  const part = document.getElementById(id);
  if (!part) return;
  part.scrollIntoView();
  if (!part.hasAttribute("tabindex")) part.tabIndex = -1;
  part.focus({ preventScroll: true });
}
