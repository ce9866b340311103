/**
 * What Go's standard library does with text, where JavaScript does something else.
 *
 * Relabelling is exact only if these are.
 */

/** Source: Go, `regexp.Regexp.Expand`: a name is as long as it can be, an unknown one is empty. */
export function expand(template: string, match: RegexMatch): string {
  return template.replaceAll(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (reference, braced?: string, bare?: string) => {
      const group = braced ?? bare;
      if (group === undefined) return "$";
      return (/^(?:0|[1-9]\d*)$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? "";
    },
  );
}

/** What RE2JS gives for a match; its own type is `any[]`. */
export interface RegexMatch {
  readonly [group: number]: string | undefined;
  readonly groups?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Go maps each code point to one code point, so that "ß" stays and "İ" becomes "i". */
export function toLowerCase(text: string): string {
  return Array.from(text, (char) =>
    String.fromCodePoint(char.toLowerCase().codePointAt(0) ?? 0),
  ).join("");
}

/**
 * As above. 27 letters of polytonic Greek, whose upper case is longer in JavaScript and one other code
 * point in Go, stay as they are.
 */
export function toUpperCase(text: string): string {
  return Array.from(text, (char) => {
    const upper = char.toUpperCase();
    return Array.from(upper).length === 1 ? upper : char;
  }).join("");
}
