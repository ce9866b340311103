/**
 * A token as programs get it: never its text, which is kept nowhere.
 */
import type { ApiToken, Role } from "../../runs/run-repository.ts";
import { toTime } from "./run-view.ts";

export interface TokenView {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly created: string;
  readonly revoked: string | null;
}

export function toTokenView({ id, name, role, createdMs, revokedMs }: ApiToken): TokenView {
  const revoked = revokedMs === undefined ? null : toTime(revokedMs);
  return { id, name, role, created: toTime(createdMs), revoked };
}
