/**
 * `plimsoll token create|list|revoke`: who may use a server. Works on its store directly, so that whoever can read
 * the store needs no token to make the first one.
 */
import { Command, Option } from "commander";
import { systemClock } from "../clock.ts";
import { UsageError } from "../errors.ts";
import { type Role, roles, type RunRepository } from "../runs/run-repository.ts";
import { toTokenView } from "../server/api/token-view.ts";
import { issueToken } from "../server/tokens.ts";
import type { CommandIo } from "./command-io.ts";
import { formatTable } from "./format.ts";
import { openStore } from "./open-store.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";

interface CreateFlags {
  readonly name: string;
  readonly role: Role;
}

export function tokenCommand(io: CommandIo): Command {
  const token = new Command("token").description(
    "make, list and revoke the tokens of the server whose store is here",
  );

  const create = new Command("create")
    .description("make a token, and print it: it is shown once")
    .requiredOption("--name <name>", "who it is for: runs are listed as started by this name")
    .addOption(
      new Option("--role <role>", "push: starts and feeds runs; read: sees all; admin: all")
        .choices(roles)
        .default("push" satisfies Role),
    );
  create.action(async ({ name, role }: CreateFlags) => {
    if (name === "" || name.length > 100) {
      throw new UsageError(
        `--name ${JSON.stringify(name)} has ${name.length} characters: expected 1 to 100`,
      );
    }
    await withStore(create, io, async (repository) => {
      const made = await issueToken(repository, { name, role, nowMs: systemClock.nowMs() });
      io.stdout.write(`${made.token}\n`);
      io.stderr.write(`plimsoll: token ${made.record.id} of ${name}, role ${role}; shown once\n`);
    });
  });

  const list = new Command("list")
    .description("list the tokens, without their texts")
    .option("--json", "print one JSON object");
  list.action(async ({ json = false }: { json?: boolean }) => {
    await withStore(list, io, async (repository) => {
      const tokens = (await repository.tokens()).map(toTokenView);
      io.stdout.write(
        json
          ? `${JSON.stringify({ tokens }, null, 2)}\n`
          : formatTable([
              ["ID", "NAME", "ROLE", "CREATED", "REVOKED"],
              ...tokens.map(({ id, name, role, created, revoked }) => [
                String(id),
                name,
                role,
                created,
                revoked ?? "",
              ]),
            ]),
      );
    });
  });

  const revoke = new Command("revoke")
    .description("make a token worthless; a server that is running notices within 5 seconds")
    .argument("<id>", 'its number in "plimsoll token list"');
  revoke.action(async (id: string) => {
    await withStore(revoke, io, async (repository) => {
      const isRevoked =
        /^\d{1,9}$/.test(id) && (await repository.revokeToken(Number(id), systemClock.nowMs()));
      if (!isRevoked) {
        throw new UsageError(`there is no token ${JSON.stringify(id)}, or it is revoked already`);
      }
      io.stderr.write(`plimsoll: token ${id} is revoked\n`);
    });
  });

  for (const command of [create, list, revoke]) {
    addOptionFlags(command, "dataDir", "databaseUrl");
    token.addCommand(command);
  }
  return token;
}

async function withStore(
  command: Command,
  io: CommandIo,
  use: (repository: RunRepository) => Promise<void>,
): Promise<void> {
  const { values: options } = resolveCommandOptions(command, io);
  await using repository = await openStore(options);
  await use(repository);
}
