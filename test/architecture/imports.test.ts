/**
 * Who may import whom: the table of docs/architecture.md, checked by dependency-cruiser. Types count, too.
 */
import { readFile } from "node:fs/promises";
import { cruise, type ICruiseResult, type IForbiddenRuleType } from "dependency-cruiser";
import { beforeAll, describe, expect, it } from "vitest";

/** Folder to the folders that it may import, beside itself, `errors.ts` and what else is at the root. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  sample: [],
  aggregate: ["sample"],
  encode: ["sample", "aggregate"],
  spool: ["sample", "aggregate", "encode"],
  send: ["sample", "aggregate", "encode", "spool"],
  output: ["sample", "aggregate", "encode", "spool", "send", "config", "runs", "query"],
  generate: ["sample", "aggregate", "runs"],
  library: ["sample", "encode", "send", "output", "config", "runs"],
  cloud: ["sample", "runs"],
  query: [],
  charts: ["query", "runs", "encode"],
  analyse: ["charts", "runs", "query"],
  runs: ["config"],
  store: ["runs"],
  server: [
    "sample",
    "aggregate",
    "encode",
    "spool",
    "send",
    "output",
    "cloud",
    "runs",
    "config",
    "query",
    "charts",
    "analyse",
  ],
  // Types of what the server answers; nothing of them is there when the page runs.
  web: ["server", "charts", "analyse"],
  config: [],
  doctor: ["encode", "spool", "send", "output", "generate", "config", "query"],
  stack: [],
  dashboards: ["sample", "aggregate", "encode", "output", "config"],
};

/** Folders that know nothing of time. */
const timeless = ["runs", "config"];

const rules: IForbiddenRuleType[] = [
  ...Object.entries(mayImport).map(([folder, others]) => ({
    name: `${folder}/ imports only ${["itself", ...others].join(", ")}`,
    severity: "error" as const,
    from: { path: `^src/${folder}/` },
    to: {
      path: "^src/",
      pathNot: [
        `^src/(${[folder, ...others].join("|")})/`,
        timeless.includes(folder)
          ? "^src/errors.ts$"
          : "^src/(errors|clock|free-port|process-identity|version).ts$",
      ],
    },
  })),
  {
    // So that no panel asks for a metric that is never sent. Their check looks at all that there is.
    name: "dashboards/ imports only the names of what is sent",
    severity: "error",
    from: { path: "^src/dashboards/", pathNot: "^src/dashboards/check/" },
    to: { path: "^src/", pathNot: ["^src/dashboards/", "^src/encode/metric-names.ts$"] },
  },
  {
    name: "web/ knows the server by HTTP only: it imports types of answers, and nothing that runs",
    severity: "error",
    from: { path: "^src/web/" },
    to: {
      path: "^src/",
      pathNot: "^src/web/",
      dependencyTypesNot: ["type-only"],
    },
  },
  {
    name: "web/ imports types of answers only",
    severity: "error",
    from: { path: "^src/web/" },
    to: {
      path: "^src/",
      pathNot:
        "^src/(web/|server/api/[\\w-]+-view.ts$|charts/chart-data.ts$|analyse/comparison.ts$)",
    },
  },
  {
    name: "runs/ imports of config/ only how durations are written",
    severity: "error",
    from: { path: "^src/runs/" },
    to: { path: "^src/config/", pathNot: "^src/config/duration.ts$" },
  },
  {
    name: "errors.ts, clock.ts, free-port.ts, process-identity.ts and version.ts import nothing of ours",
    severity: "error",
    from: { path: "^src/(errors|clock|free-port|process-identity|version).ts$" },
    to: { path: "^src/" },
  },
  {
    name: "nothing imports the public API but its users",
    severity: "error",
    from: { path: "^src/" },
    to: { path: "^src/index.ts$" },
  },
  {
    name: "no import cycle",
    severity: "error",
    from: { path: "^src/" },
    to: { circular: true },
  },
  {
    name: "every import is found",
    severity: "error",
    from: { path: "^src/" },
    to: { couldNotResolve: true },
  },
];

async function cruiseSource(forbidden: IForbiddenRuleType[]): Promise<ICruiseResult> {
  const { output } = await cruise(["src"], {
    ruleSet: { forbidden },
    validate: true,
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    // Without it, the parts that a package exports under names of their own are not found.
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "default"] },
  });
  if (typeof output === "string") throw new Error(output);
  return output;
}

let source: ICruiseResult;
beforeAll(async () => {
  source = await cruiseSource(rules);
});

describe("the modules of src/", () => {
  it("import only what they may", () => {
    const broken = source.summary.violations.map(
      ({ rule, from, to }) => `${from} imports ${to}: ${rule.name}`,
    );
    expect(broken).toEqual([]);
  });

  it("were all looked at", () => {
    const modules = ourModules();
    expect(modules.length).toBeGreaterThan(90);
    const folders = new Set(modules.flatMap((path) => /^src\/([\w-]+)\//.exec(path)?.[1] ?? []));
    expect([...folders].sort()).toEqual([...Object.keys(mayImport), "cli"].sort());
    const imports = source.modules.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
    expect(imports).toBeGreaterThan(300);
  });

  it("would not pass where a rule is broken", async () => {
    // What is allowed today, forbidden: types are seen, and so are imports that name the .ts file.
    const forbidden: IForbiddenRuleType[] = [
      {
        name: "output/ has no spool",
        severity: "error",
        from: { path: "^src/output/" },
        to: { path: "^src/spool/run-spool.ts$" },
      },
      {
        name: "spool/ has no batches",
        severity: "error",
        from: { path: "^src/spool/" },
        to: { path: "^src/encode/encoded-batch.ts$", dependencyTypes: ["type-only"] },
      },
    ];
    const { summary } = await cruiseSource(forbidden);
    expect(new Set(summary.violations.map(({ rule }) => rule.name)).size).toBe(2);
  });

  it("hand on no other module's exports, but for the public API", async () => {
    const barrels = [];
    for (const path of ourModules()) {
      if (/^export (?:type )?(?:\{[^}]*\}|\*.*) from/m.test(await code(path))) barrels.push(path);
    }
    expect(barrels).toEqual(["src/index.ts"]);
  });

  it("leave the process to cli/, but to end others, to sign with its id, and to read AWS's variables", async () => {
    const uses = [];
    for (const path of ourModules().filter((module) => !module.startsWith("src/cli/"))) {
      const text = await code(path);
      const imported = [...text.matchAll(/import \{(.*)\} from "node:process"/g)];
      const members = [...text.matchAll(/(?<![\w#.])process\.(\w+)/g)];
      uses.push(...[...imported, ...members].map(([, name = ""]) => `${path}: ${name.trim()}`));
      expect(text, path).not.toMatch(/import (?:\w+|\* as \w+) from "(?:node:)?process"/);
    }
    expect([...new Set(uses)].sort()).toEqual([
      "src/generate/k6.ts: kill",
      "src/send/auth/aws-credentials.ts: env",
      "src/spool/directory-lock.ts: pid",
      "src/stack/daemon.ts: kill",
      "src/stack/postgres.ts: kill",
      "src/stack/state.ts: pid",
    ]);
  });
});

function ourModules(): string[] {
  return source.modules.map((module) => module.source).filter((path) => path.startsWith("src/"));
}

/** A module without its comments. */
async function code(path: string): Promise<string> {
  const text = await readFile(new URL(`../../${path}`, import.meta.url), "utf8");
  return text.replace(/\/\*.*?\*\//gs, "").replace(/^\s*\/\/.*$/gm, "");
}
