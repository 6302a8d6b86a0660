import type { CreateOptions } from './create.ts';

export const SERVER_USER = { name: 'system:apiserver', groups: ['system:masters'] } as const;

/** A write that the server does of its own accord. */
export const ownWrite = (): CreateOptions => ({
  user: SERVER_USER,
  isInternal: true,
  dryRun: false,
  fieldManager: 'kube-apiserver',
  warnings: [],
});
