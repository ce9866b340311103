/**
 * URLs for people's eyes: user-info and query can hold credentials and are masked.
 */

/** Stands for every secret, whatever its length. */
export const secretMask = "********";

/** `text` with its user-info, query and fragment masked or cut. It need not be a valid URL. */
export function redactUrl(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    // Of what is no such URL, anything before an `@` or after a `?` may be a secret.
    return text
      .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, `$1${secretMask}@`)
      .replace(/\?.*$/s, `?${secretMask}`);
  }
  const { protocol, username, password, host, pathname, search } = new URL(text);
  const userInfo = username === "" && password === "" ? "" : `${secretMask}@`;
  const query = search === "" ? "" : `?${secretMask}`;
  return `${protocol}//${userInfo}${host}${pathname}${query}`;
}
