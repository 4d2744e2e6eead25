import { defineConfig } from "vite";

declare const process: { env: Record<string, string> };

// Whatever the shell says that it develops: React would be bundled with its warnings.
process.env.NODE_ENV = "production";

export default defineConfig({
  // Wherever the gateway mounts the page, behind whatever prefix.
  base: "./",
  build: {
    outDir: "bundle",
    // Everything is a file: the policy of the page has no `data:` for scripts, styles and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco alone is more than the size that is warned of.
    chunkSizeWarningLimit: 5_000,
    license: { fileName: "licenses.md" },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      // A folder of their own: chunks of workers are named like those of the page, and would overwrite them.
      output: {
        entryFileNames: "workers/[name]-[hash].js",
        chunkFileNames: "workers/[name]-[hash].js",
        assetFileNames: "workers/[name]-[hash][extname]",
      },
    },
  },
});
