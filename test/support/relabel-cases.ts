/**
 * Relabel rules, each with what becomes of one series: a unit test holds our code to it, and an
 * integration test holds the table to a real Prometheus.
 */

/** The labels of the series before the rules; every value is there for some rule. */
export const relabelInput: Readonly<Record<string, string>> = {
  Zone: "eu-1",
  __name__: "k6_http_reqs_total",
  a_one: "1",
  a_two: "2",
  group: "::login",
  method: "GET",
  multi: "first\nsecond",
  name: "http://shop.test/cart?id=1",
  status: "200",
  umlaut: "Straße İO",
  verb: "GET",
};

export interface RelabelCase {
  readonly name: string;
  /** A YAML flow list, as in `write_relabel_configs`. */
  readonly rules: string;
  /** The labels that differ afterwards, `null` for one that is gone; or that the series is dropped. */
  readonly changes: Readonly<Record<string, string | null>> | "dropped";
}

export const relabelCases: readonly RelabelCase[] = [
  {
    name: "replace copies a label by default",
    rules: "[{source_labels: [status], target_label: code}]",
    changes: { code: "200" },
  },
  {
    name: "replace joins labels with a semicolon by default",
    rules: "[{source_labels: [method, status], target_label: what}]",
    changes: { what: "GET;200" },
  },
  {
    name: "replace joins with the given separator",
    rules: "[{source_labels: [method, status], separator: '', target_label: what}]",
    changes: { what: "GET200" },
  },
  {
    name: "replace refers to groups in any order",
    rules:
      "[{source_labels: [method, status], regex: '(.+);(.+)', replacement: '$2-$1', target_label: what}]",
    changes: { what: "200-GET" },
  },
  {
    name: "replace refers to a named group",
    rules:
      "[{source_labels: [name], regex: 'https?://(?P<host>[^/]+)/.*', replacement: '${host}', target_label: host}]",
    changes: { host: "shop.test" },
  },
  {
    name: "replace without source labels sets a constant",
    rules: "[{target_label: team, replacement: checkout}]",
    changes: { team: "checkout" },
  },
  {
    name: "replace does nothing where the regex matches only a part",
    rules: "[{source_labels: [status], regex: '20', target_label: status, replacement: x}]",
    changes: {},
  },
  {
    name: "replace is anchored around all alternatives",
    rules: "[{source_labels: [status], regex: '2|0', target_label: status, replacement: x}]",
    changes: {},
  },
  {
    name: "a regex that closes the anchoring group is no longer anchored",
    rules: "[{source_labels: [status], regex: 'x)|(0', target_label: last, replacement: '<$1>'}]",
    changes: { last: "<0>" },
  },
  {
    name: "replace with an absent label removes the target",
    rules: "[{source_labels: [absent], target_label: method}]",
    changes: { method: null },
  },
  {
    name: "an empty replacement removes the target",
    rules: "[{source_labels: [status], target_label: status, replacement: ''}]",
    changes: { status: null },
  },
  {
    name: "a group name is as long as it can be, and an unknown one is empty",
    rules: "[{source_labels: [status], target_label: status, replacement: '<$1x>'}]",
    changes: { status: "<>" },
  },
  {
    name: "braces end a group name",
    rules: "[{source_labels: [status], target_label: status, replacement: '${1}x'}]",
    changes: { status: "200x" },
  },
  {
    name: "$$ is a dollar sign, and a $ without a name stays",
    rules: "[{source_labels: [status], target_label: status, replacement: '$$1 $- ${ ${1 $'}]",
    changes: { status: "$1 $- ${ ${1 $" },
  },
  {
    name: "$0 is the whole match, and a group number has no leading zero",
    rules:
      "[{source_labels: [status], regex: '(.).*', target_label: status, replacement: '$0/$01/$1'}]",
    changes: { status: "200//2" },
  },
  {
    name: "a group that took no part is empty",
    rules:
      "[{source_labels: [status], regex: '(2..)|(5..)', target_label: status, replacement: '$1/$2'}]",
    changes: { status: "200/" },
  },
  {
    name: "a dot matches a newline",
    rules: "[{source_labels: [multi], regex: 'first.second', target_label: multi, replacement: x}]",
    changes: { multi: "x" },
  },
  {
    name: "the end is the end of the text, not of a line",
    rules: "[{source_labels: [multi], regex: 'first', target_label: multi, replacement: x}]",
    changes: {},
  },
  {
    name: "flags inside a regex work",
    rules: "[{source_labels: [method], regex: '(?i)get', target_label: method, replacement: x}]",
    changes: { method: "x" },
  },
  {
    name: "Unicode classes work",
    rules: "[{source_labels: [umlaut], regex: '(\\pL+) .*', target_label: umlaut}]",
    changes: { umlaut: "Straße" },
  },
  {
    name: "the target may refer to groups",
    rules:
      "[{source_labels: [method, status], regex: '(.+);(.+)', target_label: '${1}_status', replacement: '$2'}]",
    changes: { GET_status: "200" },
  },
  {
    name: "a target that becomes no label name changes nothing",
    rules: "[{source_labels: [Zone], target_label: '$1', replacement: x}]",
    changes: {},
  },
  {
    name: "numbers are texts as they were written",
    rules: "[{source_labels: [status], regex: 200, target_label: version, replacement: 1.10}]",
    changes: { version: "1.10" },
  },
  {
    name: "an action may be written in upper case",
    rules: "[{action: Replace, source_labels: [status], target_label: code}]",
    changes: { code: "200" },
  },
  {
    name: "the metric can be renamed",
    rules:
      "[{source_labels: [__name__], regex: 'k6_(.*)', target_label: __name__, replacement: 'load_$1'}]",
    changes: { __name__: "load_http_reqs_total" },
  },
  {
    name: "a temporary label carries a value to the next rule",
    rules:
      "[{source_labels: [group], regex: '::(.*)', target_label: __tmp_group}, {source_labels: [__tmp_group, method], separator: ' ', target_label: step}]",
    changes: { step: "login GET" },
  },
  {
    name: "keep keeps what matches",
    rules: "[{action: keep, source_labels: [status], regex: '2..'}]",
    changes: {},
  },
  {
    name: "keep drops what does not match",
    rules: "[{action: keep, source_labels: [status], regex: '5..'}]",
    changes: "dropped",
  },
  {
    name: "drop drops what matches",
    rules: "[{action: drop, source_labels: [method, status], regex: 'GET;2.*'}]",
    changes: "dropped",
  },
  {
    name: "drop keeps what does not match",
    rules: "[{action: drop, source_labels: [absent], regex: '.+'}]",
    changes: {},
  },
  {
    name: "keepequal keeps where the labels are equal",
    rules: "[{action: keepequal, source_labels: [method], target_label: verb}]",
    changes: {},
  },
  {
    name: "keepequal drops where they are not",
    rules: "[{action: keepequal, source_labels: [method], target_label: status}]",
    changes: "dropped",
  },
  {
    name: "dropequal drops where the labels are equal, absent ones too",
    rules: "[{action: dropequal, source_labels: [absent], target_label: missing}]",
    changes: "dropped",
  },
  {
    name: "dropequal keeps where they are not",
    rules: "[{action: dropequal, source_labels: [method], target_label: status}]",
    changes: {},
  },
  {
    name: "hashmod sets the remainder of a hash",
    rules: "[{action: hashmod, source_labels: [name, method], modulus: 1000, target_label: shard}]",
    changes: { shard: "907" },
  },
  {
    name: "hashmod calculates with 64 bits",
    rules:
      "[{action: hashmod, source_labels: [umlaut], modulus: 18446744073709551615, target_label: shard}]",
    changes: { shard: "10272772652891983347" },
  },
  {
    name: "labelmap copies labels to other names",
    rules: "[{action: labelmap, regex: 'a_(.+)', replacement: 'b_$1'}]",
    changes: { b_one: "1", b_two: "2" },
  },
  {
    name: "labelmap takes the last of several labels",
    rules: "[{action: labelmap, regex: 'a_.+', replacement: any}]",
    changes: { any: "2" },
  },
  {
    name: "labelmap sees a changed label last",
    rules:
      "[{target_label: a_one, replacement: '3'}, {action: labelmap, regex: 'a_.+', replacement: any}]",
    changes: { a_one: "3", any: "3" },
  },
  {
    name: "labeldrop removes labels",
    rules: "[{action: labeldrop, regex: 'a_.*|multi'}]",
    changes: { a_one: null, a_two: null, multi: null },
  },
  {
    name: "labelkeep removes all other labels",
    rules: "[{action: labelkeep, regex: '__name__|[m-z].*'}]",
    changes: { Zone: null, a_one: null, a_two: null, group: null },
  },
  {
    name: "lowercase maps each letter to one letter",
    rules: "[{action: lowercase, source_labels: [umlaut], target_label: umlaut}]",
    changes: { umlaut: "straße io" },
  },
  {
    name: "uppercase maps each letter to one letter",
    rules: "[{action: uppercase, source_labels: [umlaut], target_label: umlaut}]",
    changes: { umlaut: "STRAßE İO" },
  },
];

/** Rules that Prometheus refuses to start with. */
export const refusedRules: readonly { readonly rules: string; readonly problem: RegExp }[] = [
  {
    rules: "[{action: explode}]",
    problem: /\[0\]\.action .*"explode" is not one of replace, keep/,
  },
  { rules: "[{source_labels: [a]}]", problem: /\[0\]\.target_label .*is missing/ },
  { rules: "[{action: keep, regex: '('}]", problem: /\[0\]\.regex .*"\(" is not RE2 syntax/ },
  { rules: "[{action: keep, regex: 'a(?=b)'}]", problem: /\[0\]\.regex .*is not RE2 syntax/ },
  { rules: "[{action: keep, regexp: a}]", problem: /\[0\] .*unknown field "regexp"/ },
  { rules: "[{target_label: a-b}]", problem: /\[0\]\.target_label .*"a-b" is not a label name/ },
  { rules: "[{target_label: '${1}-b'}]", problem: /\[0\]\.target_label .*is not a label name/ },
  { rules: "[{action: lowercase, target_label: '$1'}]", problem: /\[0\]\.target_label/ },
  {
    rules: "[{action: lowercase, target_label: a, replacement: b}]",
    problem: /\[0\]\.replacement .*has no meaning for the action lowercase/,
  },
  { rules: "[{action: hashmod, target_label: a}]", problem: /\[0\]\.modulus .*is missing/ },
  { rules: "[{action: hashmod, target_label: a, modulus: x}]", problem: /\[0\]\.modulus/ },
  { rules: "[{action: labelmap, replacement: a-$1}]", problem: /\[0\]\.replacement/ },
  { rules: "[{action: labeldrop, source_labels: [a]}]", problem: /\[0\]\.source_labels/ },
  { rules: "[{action: labelkeep, separator: ','}]", problem: /\[0\]\.separator/ },
  {
    rules: "[{action: keepequal, source_labels: [a], target_label: b, regex: '(.*)'}]",
    problem: /\[0\]\.regex .*has no meaning for the action keepequal/,
  },
  { rules: "[{action: keep, source_labels: a}]", problem: /\[0\]\.source_labels .*not a list/ },
  { rules: "[{action: keep, source_labels: [{a: b}]}]", problem: /\[0\]\.source_labels/ },
  { rules: "[drop]", problem: /\[0\] .*is not a relabel rule/ },
  { rules: "{action: drop}", problem: /is not a list/ },
];
