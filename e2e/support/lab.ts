import { attachLab, type Lab } from '@kind-e2e/lab';
import { afterAll, inject } from 'vitest';

/** The shared lab, for a test file. */
export async function sharedLab(): Promise<Lab> {
  const lab = await attachLab(inject('labDataDir'));
  afterAll(() => lab[Symbol.asyncDispose]());
  return lab;
}
