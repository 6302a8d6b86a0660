import { startLab } from '@kind-e2e/lab';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly labDataDir: string;
  }
}

/** Starts the lab that the test files share, and ends it after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const lab = await startLab();
  project.provide('labDataDir', lab.config.dataDir);
  return async () => {
    await lab[Symbol.asyncDispose]();
  };
}
