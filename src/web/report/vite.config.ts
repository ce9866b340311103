/**
 * Builds the page of a report into `dist/web-report/`: one script and one style sheet, which `plimsoll report` puts into each
 * file that it writes.
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../../../dist/web-report", import.meta.url)),
    emptyOutDir: true,
    modulePreload: false,
    // Else the script makes the style sheet, which the report's policy does not allow.
    cssCodeSplit: false,
    target: "es2022",
    rollupOptions: {
      input: fileURLToPath(new URL("main.tsx", import.meta.url)),
      output: {
        format: "iife",
        // What the page loads later, a report has at once.
        codeSplitting: false,
        entryFileNames: "report.js",
        assetFileNames: "report[extname]",
      },
    },
  },
});
export default config;
