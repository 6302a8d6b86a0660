import { expect, it } from 'vitest';
import { dependencyGraph } from './dependency-graph.ts';

it('draws each service once, with the calls that go in and out', () => {
  const graph = dependencyGraph(
    [
      { parent: 'gateway', child: 'front-end', callCount: 120 },
      { parent: 'front-end', child: 'business-logic', callCount: 60 },
      { parent: 'front-end', child: 'front-end', callCount: 7 },
    ],
    60,
  );
  expect(graph.nodes.map((node) => [node.name, node.inRate, node.outRate])).toEqual([
    ['gateway', 0, 2],
    ['front-end', 2, 1],
    ['business-logic', 1, 0],
  ]);
  expect(graph.edges.map((edge) => [edge.from, edge.to, edge.rate])).toEqual([
    ['service:gateway', 'service:front-end', 2],
    ['service:front-end', 'service:business-logic', 1],
  ]);
});
