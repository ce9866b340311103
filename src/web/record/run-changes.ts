/**
 * What people change about a run, and the server keeps.
 */
import type { CreatedShare } from "../../server/api/session-view.ts";
import type { RunView } from "../../server/api/run-view.ts";
import { ask, askJson } from "../api/client.ts";

/** @throws ApiError */
export async function changeRun(
  id: number,
  changes: { readonly note?: string; readonly starred?: boolean },
): Promise<RunView> {
  return await askJson<RunView>(`/runs/${id}`, { method: "PATCH", body: changes });
}

/** @throws ApiError */
export async function deleteRun(id: number): Promise<void> {
  await ask(`/runs/${id}`, { method: "DELETE" });
}

/** @throws ApiError */
export async function shareRun(id: number, seconds: number): Promise<CreatedShare> {
  return await askJson<CreatedShare>(`/runs/${id}/shares`, { method: "POST", body: { seconds } });
}

/** @throws ApiError */
export async function revokeShare(id: number, share: number): Promise<void> {
  await ask(`/runs/${id}/shares/${share}`, { method: "DELETE" });
}
