/**
 * The kinds of options that hold several items: outputs, trend stats, tags, headers, relabel rules.
 *
 * In a variable the items are one text with commas; repeated flags and YAML lists keep them apart.
 */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { expectNotEmpty, unchanged, type OptionKind } from "./option-kinds.ts";
import type { WriteRelabelConfigs } from "./options.ts";
import { redactUrl } from "./redact-url.ts";
import { isRawMap, readYaml, type RawValue } from "./yaml.ts";

/** A comma-separated text, or a list of texts whose items may hold commas. */
function toItems(raw: RawValue): readonly string[] {
  const items = typeof raw === "string" ? raw.split(",") : raw;
  if (!Array.isArray(items) || !items.every((item) => typeof item === "string")) {
    throw new UsageError("expected a list of texts");
  }
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

/** Outputs, `NAME` or `NAME=ARG`. Which names exist is known to output/. */
export const outputs: OptionKind<readonly string[]> = {
  placeholder: "name[=arg]",
  repeatable: true,
  parse: (raw) =>
    toItems(raw).map((item) => {
      if (!/^[a-z][a-z0-9-]*(?:=.+)?$/s.test(item)) {
        throw new UsageError(
          `${JSON.stringify(redactUrl(item))} is not an output: expected "NAME" or "NAME=ARG"`,
        );
      }
      return item;
    }),
  format: (items) => (items.length === 0 ? "-" : items.join(", ")),
  redact: (items) => items.map((item) => item.replace(/(?<==).*$/s, redactArgument)),
};

function redactArgument(argument: string): string {
  return /:\/\/|@/.test(argument) ? redactUrl(argument) : argument;
}

/**
 * Gauges for trends. Source of the names: k6, `internal/output/prometheusrw/remotewrite`: the stat of
 * `p(99.9)` is called `p999`, and so would be `p(9.99)`.
 */
export const trendStats: OptionKind<readonly string[]> = {
  placeholder: "list",
  repeatable: false,
  parse: (raw) => {
    const byName = new Map<string, string>();
    for (const stat of toItems(raw)) {
      const [, percentile] = /^p\((\d+(?:\.\d+)?)\)$/.exec(stat) ?? [];
      const isPercentile = percentile !== undefined && Number(percentile) <= 100;
      if (!isPercentile && !["count", "sum", "min", "max", "avg", "med"].includes(stat)) {
        throw new UsageError(
          `${JSON.stringify(stat)} is not a trend stat: ` +
            "expected count, sum, min, max, avg, med or p(N) with N from 0 to 100",
        );
      }
      const name = stat.replaceAll(/[().]/g, "");
      const other = byName.get(name) ?? stat;
      if (other !== stat) {
        throw new UsageError(
          `${other} and ${stat} would both be stored as ${JSON.stringify(name)}`,
        );
      }
      byName.set(name, stat);
    }
    return [...byName.values()];
  },
  format: (stats) => (stats.length === 0 ? "-" : stats.join(",")),
  redact: unchanged,
};

/** OAuth2 scopes. Source: RFC 6749, section 3.3. */
export const scopes: OptionKind<readonly string[]> = {
  placeholder: "list",
  repeatable: false,
  parse: toItems,
  format: (items) => (items.length === 0 ? "-" : items.join(",")),
  redact: unchanged,
};

/** Addresses, and networks in CIDR notation. Source: RFC 4632, RFC 4291. */
export const networks: OptionKind<readonly string[]> = {
  placeholder: "address",
  repeatable: true,
  parse: (raw) =>
    toItems(raw).map((item) => {
      const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
      const maxBits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
      if (maxBits < 0 || Number(bits ?? 0) > maxBits) {
        throw new UsageError(
          `${JSON.stringify(item)} is not an address: expected one such as "10.1.2.3", "10.0.0.0/8" or "::1"`,
        );
      }
      return item;
    }),
  format: (items) => (items.length === 0 ? "-" : items.join(", ")),
  redact: unchanged,
};

/** `auto`, or paths with `{placeholders}`. What they mean is in encode/name-templates.ts. */
export const nameTemplates: OptionKind<readonly string[]> = {
  placeholder: "path",
  repeatable: true,
  parse: (raw) =>
    toItems(raw).map((item) => {
      if (item !== "auto" && !/^(?:https?:\/\/[^/?#{}]+)?\/(?:[^{}?#]|\{[^{}/]+\})*$/i.test(item)) {
        throw new UsageError(
          `${JSON.stringify(redactUrl(item))} is not a name template: ` +
            'expected "auto" or a path such as "/products/{id}", without a query',
        );
      }
      return item;
    }),
  format: (items) => (items.length === 0 ? "-" : items.join(", ")),
  redact: unchanged,
};

export const tags: OptionKind<ReadonlyMap<string, string>> = namedValues("tag");

export const parameters: OptionKind<ReadonlyMap<string, string>> = namedValues("parameter");

/** Names with values, as a map, as `name=value` texts, or as one text with commas between them. */
function namedValues(noun: string): OptionKind<ReadonlyMap<string, string>> {
  return {
    placeholder: "name=value",
    repeatable: true,
    parse: (raw) =>
      toMap(toPairs(raw, "="), (name) => {
        if (name === "") throw new UsageError(`has a ${noun} without a name`);
        return name;
      }),
    format: (map) =>
      map.size === 0 ? "-" : [...map].map(([name, value]) => `${name}=${value}`).join(", "),
    redact: unchanged,
  };
}

/**
 * Headers that belong to the protocol. Source: Prometheus, `config/config.go`, `reservedHeaders`. The last ones are
 * ours: the attempt is counted for the receiver, and the HTTP client refuses the others or sets them itself.
 */
const reservedHeaders: ReadonlySet<string> = new Set([
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "retry-attempt",
  "expect",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** As tags, with a colon. Values may be secret: no message holds one. */
export const headers: OptionKind<ReadonlyMap<string, string>> = {
  placeholder: "name:value",
  repeatable: true,
  parse: (raw) => {
    const seen = new Set<string>();
    return toMap(toPairs(raw, ":"), (name, value) => {
      const folded = name.toLowerCase();
      // Source: RFC 9110, sections 5.1 and 5.5.
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(folded)) {
        throw new UsageError(`${JSON.stringify(name)} is not the name of a header`);
      }
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
        throw new UsageError(
          `header ${JSON.stringify(name)} has a value with forbidden characters`,
        );
      }
      if (folded === "authorization") {
        throw new UsageError(
          `header ${JSON.stringify(name)} is set by the options for authentication`,
        );
      }
      if (reservedHeaders.has(folded)) {
        throw new UsageError(`header ${JSON.stringify(name)} is reserved for the protocol`);
      }
      if (seen.has(folded)) throw new UsageError(`header ${JSON.stringify(name)} is given twice`);
      seen.add(folded);
      return name;
    });
  },
  format: (map) =>
    map.size === 0 ? "-" : [...map].map(([name, value]) => `${name}: ${value}`).join(", "),
  redact: unchanged,
};

function toPairs(raw: RawValue, separator: string): readonly (readonly [string, string])[] {
  if (isRawMap(raw)) {
    return Object.entries(raw).map(([name, value]) => {
      if (typeof value !== "string") {
        throw new UsageError(`${JSON.stringify(name)} has no text as its value`);
      }
      return [name, value];
    });
  }
  return toItems(raw).map((item, index) => {
    const end = item.indexOf(separator);
    // The item itself may be a secret that lost its name.
    if (end < 0) throw new UsageError(`item ${index + 1} has no "${separator}" after its name`);
    return [item.slice(0, end).trim(), item.slice(end + 1).trim()];
  });
}

function toMap(
  pairs: readonly (readonly [string, string])[],
  toKey: (name: string, value: string) => string,
): ReadonlyMap<string, string> {
  return new Map(pairs.map(([name, value]) => [toKey(name, value), value]));
}

/** The rules themselves, or the path of a YAML file with them, alone or under `write_relabel_configs`. */
export const relabelConfigs: OptionKind<WriteRelabelConfigs> = {
  placeholder: "file",
  repeatable: false,
  parse: (raw, origin) => {
    if (Array.isArray(raw)) return { source: origin.source, rules: raw };
    if (typeof raw !== "string") throw new UsageError("expected a list of rules, or a file's path");
    const source = resolve(origin.directory, expectNotEmpty(raw));
    return { source, rules: readRules(source) };
  },
  format: ({ source, rules }) =>
    rules.length === 0
      ? "-"
      : `${rules.length} ${rules.length === 1 ? "rule" : "rules"} of ${source}`,
  redact: unchanged,
};

function readRules(file: string): readonly RawValue[] {
  const content = readYaml(file, file);
  const rules =
    isRawMap(content) && Object.keys(content).join() === "write_relabel_configs"
      ? content["write_relabel_configs"]
      : content;
  if (Array.isArray(rules)) return rules;
  throw new UsageError(
    `${JSON.stringify(file)} has no list of rules, alone or under "write_relabel_configs"`,
  );
}
