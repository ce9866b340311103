/**
 * Tokens: made here, shown once, kept as a digest.
 *
 *     plm_<43 characters>   of the API: a name and a role
 *     plr_<43 characters>   of one run: pushes to it, reads and ends it, and is worth nothing elsewhere
 *     pls_<43 characters>   of a link: looks at one run, for a while
 *
 * The characters are 32 random bytes in base64url. So many need no salt and no slow hash, and looking one up by its
 * SHA-256 tells a clock nothing that helps: of whatever is guessed, the digest is as good as random.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Authenticator, Principal } from "../runs/principal.ts";
import type { ApiToken, Role, RunRepository } from "../runs/run-repository.ts";

const randomLength = 32;
const form = /^pl[mrs]_[\w-]{43}$/;

/** How long a token is taken for what it was: a token that is revoked goes on for so long. */
const freshMs = 5_000;
/** Of tokens that were right, how many are remembered. */
const rememberedTokens = 10_000;

export function createToken(kind: "plm" | "plr" | "pls"): string {
  return `${kind}_${randomBytes(randomLength).toString("base64url")}`;
}

/** What is stored of a token: SHA-256, hexadecimal. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Makes an API token; the text is nowhere but in the answer. */
export async function issueToken(
  repository: RunRepository,
  { name, role, nowMs }: { readonly name: string; readonly role: Role; readonly nowMs: number },
): Promise<{ readonly token: string; readonly record: ApiToken }> {
  const token = createToken("plm");
  const record = await repository.createToken({
    name,
    role,
    hash: hashToken(token),
    createdMs: nowMs,
  });
  return { token, record };
}

/** The first token of all, of a store that never had one: else undefined. */
export async function issueFirstToken(
  repository: RunRepository,
  nowMs: number,
): Promise<string | undefined> {
  if ((await repository.tokens()).length > 0) return undefined;
  return (await issueToken(repository, { name: "admin", role: "admin", nowMs })).token;
}

/** Asks the store, and remembers what was right for a few seconds: a generator pushes every second. */
export class TokenAuthenticator implements Authenticator {
  readonly #repository: RunRepository;
  readonly #clock: Clock;
  /** By digest, the longest unasked first. */
  readonly #known = new Map<
    string,
    { readonly principal: Principal; readonly checkedMs: number }
  >();

  constructor(repository: RunRepository, clock: Clock) {
    this.#repository = repository;
    this.#clock = clock;
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    if (!form.test(token)) return undefined;
    const hash = hashToken(token);
    const known = this.#known.get(hash);
    const nowMs = this.#clock.nowMs();
    if (known && isOver(known.principal, nowMs)) return undefined;
    if (known && nowMs - known.checkedMs < freshMs) return known.principal;
    let principal: Principal | undefined;
    try {
      principal = await this.#lookUp(token, hash, nowMs);
    } catch (error) {
      // A database that is away for a moment is no reason to send generators away.
      if (known) return known.principal;
      throw error;
    }
    this.#known.delete(hash);
    if (!principal) return undefined;
    this.#known.set(hash, { principal, checkedMs: nowMs });
    if (this.#known.size > rememberedTokens) {
      const [oldest = ""] = this.#known.keys();
      this.#known.delete(oldest);
    }
    return principal;
  }

  async #lookUp(token: string, hash: string, nowMs: number): Promise<Principal | undefined> {
    if (token.startsWith("pls_")) {
      const share = await this.#repository.shareByHash(hash, nowMs);
      if (!share) return undefined;
      const { id, runId, expiresMs } = share;
      return { name: `share ${id}`, role: "share", runId, expiresMs };
    }
    if (token.startsWith("plr_")) {
      const runId = await this.#repository.runIdByTokenHash(hash);
      return runId === undefined
        ? undefined
        : { name: `run ${runId}`, role: "run", runId, expiresMs: undefined };
    }
    const record = await this.#repository.tokenByHash(hash);
    if (!record) return undefined;
    return { name: record.name, role: record.role, runId: undefined, expiresMs: undefined };
  }
}

function isOver({ expiresMs }: Principal, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs;
}
