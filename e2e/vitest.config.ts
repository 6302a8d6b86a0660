import { defineConfig } from 'vitest/config';

/** Files that mostly wait, keep to namespaces and nodes of their own (or to a lab of their own) and bear company. */
const IN_COMPANY = [
  'golden/golden.test.ts',
  'kubernetes/client-library.test.ts',
  'kubernetes/hpa.test.ts',
  'kubernetes/podinfo.test.ts',
  'resilience/node-loss.test.ts',
];

/**
 * The whole-lab tests: one lab for all files but `lifecycle`, `rollout` and `golden`, which start their own. First those that
 * bear company, two at once, then the others, one after another.
 */
export default defineConfig({
  test: {
    globalSetup: ['support/shared-lab.ts'],
    projects: [
      {
        test: {
          name: 'in company',
          include: IN_COMPANY,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', ...IN_COMPANY],
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
