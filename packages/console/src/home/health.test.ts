import { expect, it } from 'vitest';
import { readReleases } from './health.ts';

it('takes the newest revision of each release', () => {
  const secret = (version: string, status: string) => ({
    metadata: {
      name: `sh.helm.release.v1.app.v${version}`,
      namespace: 'default',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { owner: 'helm', name: 'app', version, status },
    },
  });
  expect(readReleases([secret('1', 'superseded'), secret('10', 'deployed'), secret('9', 'failed')])).toEqual([
    { name: 'app', namespace: 'default', revision: 10, status: 'deployed', at: '2026-01-01T00:00:00Z' },
  ]);
});
