import { defineConfig } from "vitest/config";

const unit = ["packages/**/*.test.ts"];
const chain = ["test/**/*.test.ts"];

export default defineConfig({
  define: { CONF_QMAIL: '"/var/qmail"', CONF_BREAK: '"-"', CONF_ALIAS: '"alias"', VERSION: '"0"' },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: unit } },
      {
        extends: true,
        test: {
          name: "chain",
          include: chain,
          globalSetup: ["test/lib/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
    reporters: [["default", { summary: false }], "./test/lib/summary.ts"],
  },
});
