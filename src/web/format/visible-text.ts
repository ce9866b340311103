/**
 * What others wrote, made safe to look at: characters that are not to be seen, or that turn the text around them, become
 * names of themselves. Markup needs no care: text is never markup here.
 *
 * Source: Unicode 16, "Bidirectional Formatting Characters" and general category Cc; ECMA-48 for C0.
 */

export interface TextPart {
  readonly text: string;
  /** `text` stands for a character that has no look of its own. */
  readonly isMark: boolean;
}

/**
 * Controls, but tab and line feed; marks of direction; line and paragraph separators; what has no width; half a pair.
 */
const hidden =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /(?:[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate})+/gu;

/** Parts in order; of a text without any such character, itself. */
export function visibleParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { 0: marks, index } of text.matchAll(hidden)) {
    if (index > end) parts.push({ text: text.slice(end, index), isMark: false });
    parts.push({ text: Array.from(marks, nameOf).join(""), isMark: true });
    end = index + marks.length;
  }
  if (end < text.length || end === 0) parts.push({ text: text.slice(end), isMark: false });
  return parts;
}

/** For titles and labels, which hold no elements. */
export function visibleText(text: string): string {
  return visibleParts(text)
    .map((part) => part.text)
    .join("");
}

/** Of C0 the picture that Unicode has of it, else its number. */
function nameOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}
