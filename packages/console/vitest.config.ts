/** The tests of the console: units beside the sources, the built pages in a browser under `test/`. */
export default {
  root: import.meta.dirname,
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build-console.ts'],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One more than the cores of a small machine: many tests wait for what they started.
    maxWorkers: 3,
    // A browser on a busy machine takes its time; vitest's own limit is one second.
    expect: { poll: { timeout: 30_000 } },
  },
};
