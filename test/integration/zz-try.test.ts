import { it } from "vitest";
import { startPageStage } from "../support/page-stage.ts";
it("waits", { timeout: 3_600_000 }, async () => {
  await using stage = await startPageStage();
  const { run } = await stage.ranK6({ name: "shared" });
  const page = await stage.open(`/runs/${run.id}`, { width: 400 });
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: "/tmp/e2e-try/shot.png", fullPage: true });
  console.log(JSON.stringify(await page.evaluate(`[...document.querySelectorAll("body *")].filter((e) => { if (e.getBoundingClientRect().right <= innerWidth + 1) return false; for (let p = e.parentElement; p; p = p.parentElement) { if (getComputedStyle(p).overflowX !== "visible") return false; } return true; }).map((e) => e.tagName + "." + e.className + "#" + e.id + " " + e.getBoundingClientRect().right + " " + e.textContent.slice(0, 50))`), null, 1));
});
