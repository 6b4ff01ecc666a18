import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";
const api = ["/auth", "/quizzes", "/quiz-session", "/pin", "/update-score", "/names", "/images"];

export default defineConfig({
  plugins: [svelte()],
  build: {
    // Into the Python package, which serves it: one wheel holds the whole product.
    outDir: "../src/tiebreak/app_server/static",
    emptyOutDir: true,
    // Fonts stay files of their own: inlined, every visitor would load every alphabet.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      ...Object.fromEntries(api.map((path) => [path, server])),
      "/socket.io": { target: server, ws: true },
    },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
