import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'apps/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'packages/console/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One more than the cores of a small machine: many tests wait for what they started.
    maxWorkers: 3,
  },
});
