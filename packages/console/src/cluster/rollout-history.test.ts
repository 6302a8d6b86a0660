import { expect, it } from 'vitest';
import { revisionsOf, undoPatch } from './rollout-history.ts';

const set = (name: string, revision: string, owner: string) => ({
  metadata: {
    name,
    annotations: { 'deployment.kubernetes.io/revision': revision },
    ownerReferences: [{ kind: 'Deployment', name: owner }],
  },
  spec: {
    replicas: 1,
    template: {
      metadata: { labels: { app: 'a', 'pod-template-hash': 'x' } },
      spec: { containers: [{ name: 'c', image: `i:${revision}` }] },
    },
  },
});

it('lists the revisions of its own, newest first', () => {
  const list = revisionsOf({ metadata: { name: 'd' } }, [
    set('s1', '1', 'd'),
    set('s10', '10', 'd'),
    set('o', '3', 'other'),
  ]);
  expect(list.map((entry) => [entry.revision, entry.images])).toEqual([
    [10, ['i:10']],
    [1, ['i:1']],
  ]);
});

it('goes back by the template without the hash', () => {
  expect(undoPatch(set('s', '1', 'd')).spec.template).toEqual({
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i:1' }] },
  });
});
