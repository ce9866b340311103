/**
 * Sets variables in the words of a shell, whatever characters are in their values.
 *
 * Source: POSIX.1-2024, Shell Command Language, 2.2.2; the fish documentation, "Quotes"; PowerShell, about_Quoting_Rules:
 * there the typographic quotes U+2018 to U+201B are quotes as well.
 */

export const shells = ["sh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

const statements: Readonly<Record<Shell, (name: string, value: string) => string>> = {
  sh: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll(/[\\']/g, "\\$&")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll(/['\u2018-\u201b]/g, "$&$&")}'`,
};

/** One line for each variable, unless its value has several. */
export function toExports(
  variables: readonly (readonly [name: string, value: string])[],
  shell: Shell,
): string {
  return variables.map(([name, value]) => `${statements[shell](name, value)}\n`).join("");
}

/** The user's own shell, where that is known to be another one than sh. */
export function guessShell(environment: Readonly<Record<string, string | undefined>>): Shell {
  if (/(?:^|\/)fish$/.test(environment["SHELL"] ?? "")) return "fish";
  // Windows has no SHELL, but for programs that brought a sh along.
  return environment["SHELL"] === undefined && environment["PSModulePath"] ? "powershell" : "sh";
}
