import { defineConfig } from 'vitest/config';

/** The whole-lab tests: one lab for all files but `lifecycle`, which starts its own; files run one after another. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['support/shared-lab.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
