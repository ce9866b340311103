/**
 * The cookie that keeps a person signed in: its name, what is read of a request, and what sets and removes it.
 *
 * Its value is the token, so that it ends when the token does, on every server of a database. Cookies are shared by all ports
 * of a host: the port in the name keeps servers apart, and nothing keeps another program on the same host from overwriting it.
 * Over https the prefix of the name does.
 *
 * Source: RFC 6265bis, 4.1.3 (prefixes), 5.7.
 */

/** 30 days: as long as Grafana keeps a person signed in. */
const maxAgeSeconds = 30 * 86_400;

export class SessionCookie {
  readonly name: string;
  readonly #attributes: string;

  /** @param publicUrl as browsers reach the server; without a slash at its end */
  constructor(publicUrl: string) {
    const { protocol, port, pathname } = new URL(publicUrl);
    const isSecure = protocol === "https:";
    const path = pathname.endsWith("/") ? pathname : `${pathname}/`;
    const securePrefix = path === "/" ? "__Host-" : "__Secure-";
    this.name = `${isSecure ? securePrefix : ""}plimsoll_${port === "" ? defaultPort(protocol) : port}`;
    this.#attributes = `Path=${path}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
  }

  /** The token in a `Cookie` header. None where there are several: somebody else has put one beside ours. */
  read(header: string | undefined): string | undefined {
    const found = (header ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${this.name}=`));
    const value = found[0]?.slice(this.name.length + 1);
    return found.length === 1 && value !== "" ? value : undefined;
  }

  /**
   * A `Set-Cookie` header.
   *
   * @param token of the right form: nothing in it needs quotes
   * @param endsInSeconds default: 30 days, which is the most
   */
  set(token: string, endsInSeconds: number = maxAgeSeconds): string {
    const seconds = Math.max(0, Math.min(Math.floor(endsInSeconds), maxAgeSeconds));
    return `${this.name}=${token}; Max-Age=${seconds}; ${this.#attributes}`;
  }

  /** A `Set-Cookie` header that removes it. */
  clear(): string {
    return this.set("", 0);
  }
}

function defaultPort(protocol: string): number {
  return protocol === "https:" ? 443 : 80;
}
