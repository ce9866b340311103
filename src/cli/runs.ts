/**
 * `plimsoll runs list|show|note|star|delete|export|create|end|stop|share`: the runs of a server (`--server`), else of the
 * store of this machine.
 */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { parseDurationMs } from "../config/duration.ts";
import { InputError, UsageError, messageOf } from "../errors.ts";
import { runSorts, sortOrders } from "../runs/run-repository.ts";
import { runStates } from "../runs/run-state.ts";
import type { RunQuery } from "../server/api/run-query.ts";
import { reportedEnds } from "../server/api/schemas.ts";
import { connectionRows } from "../config/connection-rows.ts";
import type { OptionName } from "../config/options.ts";
import type { RunView } from "../server/api/run-view.ts";
import { sparklineWidth, toCourseText } from "./sparklines.ts";
import type { CommandIo } from "./command-io.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import type { RunsAccess } from "./runs-access.ts";
import { toRunTable, toRunText } from "./run-tables.ts";
import { guessShell, type Shell, shells, toExports } from "./shell-export.ts";

interface JsonFlag {
  readonly json?: boolean;
}

interface CreateFlags extends JsonFlag {
  readonly note?: string;
  readonly tag?: readonly string[];
  readonly threshold?: readonly string[];
  readonly shell?: Shell;
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  value,
];

/** Which options say what runs are meant: `charted` asks a store as well, with the credentials of the output. */
const optionsOf = {
  any: ["client", "dataDir", "databaseUrl"],
  servers: ["client"],
  // The keys of rows are the names of options.
  charted: [
    "client",
    "dataDir",
    "databaseUrl",
    "queryUrl",
    ...(Object.keys(connectionRows) as OptionName[]),
  ],
} as const;

export function runsCommand(io: CommandIo): Command {
  const runs = new Command("runs").description(
    "look at the runs that are kept, and at those that go on",
  );
  const add = (
    name: string,
    description: string,
    of: "any" | "servers" | "charted" = "any",
  ): { command: Command; access: () => Promise<RunsAccess> } => {
    const command = runs.command(name).description(description);
    addOptionFlags(command, ...optionsOf[of]);
    return {
      command,
      access: async () => {
        const { values: options } = resolveCommandOptions(command, io);
        // Only here: every other command does without the time that loading a database takes.
        const { openChartedRuns, openRuns } = await import("./open-runs.ts");
        return await (of === "charted" ? openChartedRuns(options) : openRuns(options));
      },
    };
  };
  const json = new Option("--json", "print one JSON object");
  const print = (value: unknown): void =>
    void io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

  const list = add("list", "list runs, a page at a time");
  list.command
    .option("--test <name>", "of this test")
    .addOption(
      new Option("--state <state>", "in this state; may be repeated")
        .choices(runStates)
        .argParser((value: string, previous: readonly string[] | undefined) => {
          if (!runStates.some((state) => state === value)) {
            throw new UsageError(`${JSON.stringify(value)} is not one of ${runStates.join(", ")}`);
          }
          return collect(value, previous);
        }),
    )
    .addOption(new Option("--result <result>").choices(["passed", "failed", "error"]))
    .option("--search <text>", "part of the test's name, the testid or the note")
    .option("--tag <name=value>", "with this tag; may be repeated", toTags)
    .option("--starred", "with a star")
    .addOption(
      new Option("--sort <what>", "in the order of this").choices(runSorts).default("created"),
    )
    .addOption(
      new Option("--order <order>", "desc: newest, longest, last first")
        .choices(sortOrders)
        .default("desc"),
    )
    .option("--limit <n>", "how many (default: 50)", toLimit)
    .option("--after <cursor>", "the page after this one")
    .addOption(json)
    .action(async (flags: RunQuery & JsonFlag) => {
      const { json: isJson, test, state, result, search, tag, starred } = flags;
      const { sort, order, limit, after } = flags;
      const query = { test, state, result, search, tag, starred, sort, order, limit, after };
      await using access = await list.access();
      // What was not given is not asked for: the properties are absent, not undefined.
      const given = Object.fromEntries(
        Object.entries(query).filter(([, value]) => value !== undefined),
      );
      const page = await access.list(given);
      if (isJson === true) print(page);
      else io.stdout.write(toRunTable(page));
    });

  const show = add(
    "show",
    "show a run: state with history, thresholds, its course, summary, where its samples are",
    "charted",
  );
  show.command
    .argument("<run>", "its number or testid")
    .addOption(json)
    .action(async (name: string, flags: JsonFlag) => {
      await using access = await show.access();
      const run = await access.show(name);
      if (flags.json === true) return print(run);
      const { course, problem } = await courseOf(access, run);
      io.stdout.write(toRunText(run, course));
      if (problem !== undefined) io.stderr.write(`plimsoll: without its course: ${problem}\n`);
    });

  const note = add("note", "write a note; an empty one removes it");
  note.command
    .argument("<run>", "its number or testid")
    .argument("<text>")
    .action(async (name: string, text: string) => {
      await using access = await note.access();
      await access.change(name, { note: text });
    });

  const star = add("star", "star runs, so that they are found again");
  star.command
    .argument("<run...>", "numbers or testids")
    .option("--remove", "take the star away")
    .action(async (names: readonly string[], { remove = false }: { remove?: boolean }) => {
      await using access = await star.access();
      for (const name of names) await access.change(name, { starred: !remove });
    });

  const remove = add(
    "delete",
    "remove a run's record, log and archive; its samples stay where they are",
  );
  remove.command
    .argument("<run...>", "numbers or testids")
    .action(async (names: readonly string[]) => {
      await using access = await remove.access();
      for (const name of names) {
        await access.delete(name);
        io.stderr.write(`plimsoll: run ${name} is deleted\n`);
      }
    });

  const exported = add("export", "write all that is kept of a run as one JSON document");
  exported.command
    .argument("<run>", "its number or testid")
    .option("--output <file>", "where to (default: standard output)")
    .action(async (name: string, { output }: { output?: string }) => {
      await using access = await exported.access();
      await write(access.export(name), output, io);
    });

  const create = add(
    "create",
    "make a run for generators that only push, and print what to export",
    "servers",
  );
  create.command
    .argument("<test>", "what it is a run of")
    .option("--note <text>", "what to remember about it")
    .option("--tag <name=value>", "a tag; may be repeated", toTags)
    .option(
      "--threshold <metric:expression>",
      'e.g. "http_req_duration:p(95)<500"; may be repeated',
      collect,
    )
    .addOption(new Option("--shell <shell>", "for which shell (default: yours)").choices(shells))
    .addOption(json)
    .addHelpText(
      "after",
      `
Each generator gets the same variables. What it measures is told apart with a name of its own in the URL:
K6_CLOUD_HOST=https://k6.example.com/agents/NAME. Such a generator does not say when it ends: "plimsoll runs end" does.

Example:
  eval "$(plimsoll runs create checkout --threshold 'http_req_failed:rate<0.01')"
  k6 run --out cloud script.js
  plimsoll runs end "$K6_CLOUD_PUSH_REF_ID"`,
    )
    .action(async (test: string, flags: CreateFlags) => {
      await using access = await create.access();
      const created = await access.create({
        test,
        ...(flags.note !== undefined && { note: flags.note }),
        ...(flags.tag && { tags: Object.fromEntries(flags.tag.map(toPair)) }),
        ...(flags.threshold && { thresholds: toThresholds(flags.threshold) }),
      });
      if (flags.json === true) return print(created);
      io.stdout.write(
        toExports(Object.entries(created.environment), flags.shell ?? guessShell(io.env)),
      );
      io.stderr.write(
        `plimsoll: run ${created.run.id}, testid ${created.run.testid}; ` +
          `"plimsoll runs end ${created.run.id}" when its generators are done\n`,
      );
    });

  const end = add("end", "say that a run is over whose generators only push", "servers");
  end.command
    .argument("<run>", "its number or testid")
    .addOption(
      new Option("--state <state>", "how it ended").choices(reportedEnds).default("finished"),
    )
    .option("--reason <text>", "why")
    .addOption(json)
    .action(async (name: string, flags: JsonFlag & { state: string; reason?: string }) => {
      await using access = await end.access();
      const { json: isJson, ...reported } = flags;
      const run = await access.end(name, {
        state: reported.state,
        ...(reported.reason !== undefined && { reason: reported.reason }),
      });
      if (isJson === true) print(run);
      else io.stdout.write(toRunText(run));
    });

  const stop = add(
    "stop",
    'ask the generator to stop; understood by "k6 run --out cloud"',
    "servers",
  );
  stop.command.argument("<run>", "its number or testid").action(async (name: string) => {
    await using access = await stop.access();
    await access.stop(name);
    io.stderr.write(`plimsoll: run ${name}: its generator stops with its next push\n`);
  });

  const share = add(
    "share",
    "print a link that shows a run to who has no token, for a while",
    "servers",
  );
  share.command
    .argument("<run>", "its number or testid")
    .option("--for <duration>", "how long it is good for, 1m to 90d (default: 7d)", toSeconds)
    .addOption(json)
    .addHelpText(
      "after",
      `
Whoever has the link may look at the run, and at nothing else; its page, under "Share", revokes it.

Example:
  plimsoll runs share 12 --for 1d`,
    )
    .action(async (name: string, flags: JsonFlag & { for?: number }) => {
      await using access = await share.access();
      const created = await access.share(name, flags.for);
      if (flags.json === true) return print(created);
      io.stdout.write(`${created.url}\n`);
      io.stderr.write(`plimsoll: the link ends at ${created.share.expires}\n`);
    });

  return runs;
}

/** What the record has is shown whether or not the store answers. */
async function courseOf(
  access: RunsAccess,
  { id, started }: RunView,
): Promise<{ readonly course: string; readonly problem?: string }> {
  if (started === null) return { course: "" };
  try {
    return { course: toCourseText(await access.charts(String(id), "run", sparklineWidth)) };
  } catch (error) {
    return { course: "", problem: messageOf(error) };
  }
}

function toTags(value: string, previous: readonly string[] | undefined): readonly string[] {
  if (!/^[^=]+=/.test(value)) {
    throw new UsageError(`${JSON.stringify(value)} is not a tag: expected name=value`);
  }
  return collect(value, previous);
}

function toLimit(value: string): number {
  const limit = Number(value);
  if (!/^\d+$/.test(value) || limit < 1 || limit > 1_000) {
    throw new UsageError(`--limit ${JSON.stringify(value)} is not a whole number from 1 to 1000`);
  }
  return limit;
}

/** As the server takes it. */
function toSeconds(value: string): number {
  const seconds = parseDurationMs(value) / 1_000;
  if (seconds < 60 || seconds > 90 * 86_400) {
    throw new UsageError(`--for ${JSON.stringify(value)} is not between 1m and 90d`);
  }
  return Math.floor(seconds);
}

function toPair(tag: string): [string, string] {
  const at = tag.indexOf("=");
  return [tag.slice(0, at), tag.slice(at + 1)];
}

/** `http_req_duration{status:200}:p(95)<500`: the expression is what has a comparison behind the last colon. */
function toThresholds(texts: readonly string[]): Record<string, string[]> {
  const thresholds: Record<string, string[]> = {};
  for (const text of texts) {
    const [, metric = "", expression = ""] = /^(\w+(?:\{.*\})?):(.+)$/s.exec(text) ?? [];
    if (metric === "") {
      throw new UsageError(
        `${JSON.stringify(text)} is not a threshold: expected one such as "http_req_duration:p(95)<500"`,
      );
    }
    (thresholds[metric] ??= []).push(expression);
  }
  return thresholds;
}

async function write(
  parts: AsyncIterable<string | Uint8Array>,
  file: string | undefined,
  io: CommandIo,
): Promise<void> {
  if (file === undefined) {
    const decoder = new TextDecoder();
    for await (const part of parts) {
      io.stdout.write(typeof part === "string" ? part : decoder.decode(part, { stream: true }));
    }
    return;
  }
  try {
    await pipeline(Readable.from(parts), createWriteStream(file, { flags: "wx" }));
  } catch (cause) {
    throw new InputError(`${JSON.stringify(file)} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}
