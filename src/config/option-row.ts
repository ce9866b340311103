/**
 * What an option is: how it is spelled in each source, its kind, default and meaning. The options themselves are in
 * option-table.ts.
 */
import type { OptionKind } from "./option-kinds.ts";

export type OptionGroup = "run" | "prometheus-rw" | "serve" | "client";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a default may depend on. */
export interface DefaultContext {
  readonly environment: Environment;
  /** Resolved before the default of `spoolDir` is asked for. */
  readonly dataDir: string;
}

export interface OptionRow<Value> {
  readonly group: OptionGroup;
  /** The long flag; a boolean also has a `--no-` form. */
  readonly flag: string;
  /** One letter with its dash, where k6 has it too and people's fingers know it. */
  readonly short?: string;
  readonly variable: string;
  /** The key in plimsoll.yaml. */
  readonly key: string;
  readonly k6?: K6Variable;
  readonly kind: OptionKind<Value>;
  readonly toDefault: (context: DefaultContext) => Value;
  /** The default in words, where it is computed. */
  readonly defaultText?: string;
  readonly description: string;
  /** Masked wherever it is shown, and never part of a message. */
  readonly secret: boolean;
}

export interface K6Variable {
  readonly name: string;
  /** Variables that begin so hold one item each, named by what follows; `name` wins on a clash. */
  readonly itemPrefix?: string;
  /** From k6's spelling to ours. @throws UsageError */
  readonly translate?: (text: string) => string;
}

/** `push-interval` is `--push-interval`, `PLIMSOLL_PUSH_INTERVAL` and `pushInterval`. */
export function spelled(name: string): { flag: string; variable: string; key: string } {
  return {
    flag: `--${name}`,
    variable: `PLIMSOLL_${name.replaceAll("-", "_").toUpperCase()}`,
    key: name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  };
}
