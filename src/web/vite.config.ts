/**
 * Builds the page into `dist/web/`, where the server finds it. Nothing in it is from elsewhere, and nothing is inline: the
 * server's content security policy allows neither.
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";
import { compress } from "./compress.ts";

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative to <base>, which the server sets to the path that people reach it under.
  base: "./",
  plugins: [compress()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../../dist/web", import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
export default config;
