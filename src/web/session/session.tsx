/**
 * Who is signed in, for all of the page.
 *
 * A link that shares a run has its token behind `#`, where no server sees it: it is taken out of the address bar before
 * anything else, and handed in unless somebody is signed in who may read anyway.
 */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SessionView } from "../../server/api/session-view.ts";
import { ask, askJson } from "../api/client.ts";

export interface Session {
  readonly view: SessionView;
  /** Resolves when it is over; the page then asks for a token. @throws ApiError */
  readonly signOut: () => Promise<void>;
  /** @throws ApiError, 401 for a token that is none */
  readonly signIn: (token: string) => Promise<void>;
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("used outside of SessionProvider");
  return session;
}

/** @throws ApiError */
export async function readSession(): Promise<SessionView> {
  return await askJson<SessionView>("/session");
}

/** @throws ApiError, 401 for a token that is none */
export async function openSession(token: string): Promise<SessionView> {
  await ask("/session", { method: "POST", body: { token } });
  return await readSession();
}

/** @throws ApiError */
export async function closeSession(): Promise<SessionView> {
  await ask("/session", { method: "DELETE" });
  return await readSession();
}

/** The token of a link that shares a run, which then is in the address bar no more. */
export function takeShareToken(): string | undefined {
  const { hash, pathname, search } = globalThis.location;
  const token = /^#share=(pls_[\w-]+)$/.exec(hash)?.[1];
  if (token === undefined) return undefined;
  history.replaceState(history.state, "", pathname + search);
  return token;
}

type SessionRole = NonNullable<SessionView["principal"]>["role"];

/** Each may all that those before it may. */
const roles: readonly SessionRole[] = ["push", "read", "admin"];

/**
 * Whether who is signed in has at least that role. The server decides; this is for what the page offers.
 */
export function hasRole({ principal }: SessionView, role: "push" | "read" | "admin"): boolean {
  return principal !== null && roles.indexOf(principal.role) >= roles.indexOf(role);
}
