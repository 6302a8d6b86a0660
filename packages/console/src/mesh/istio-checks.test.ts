import { expect, it } from 'vitest';
import { checkIstioObject, routesOfHost, serviceOfHost, worldOf } from './istio-checks.ts';

const object = (kind: string, name: string, spec: object) => ({ kind, metadata: { name, namespace: 'default' }, spec });
const world = worldOf({
  services: [object('Service', 'business-logic', {})],
  gateways: [object('Gateway', 'app', {})],
  destinationrules: [object('DestinationRule', 'bl', { host: 'business-logic', subsets: [{ name: 'v1' }] })],
  serviceentries: [object('ServiceEntry', 'e', { hosts: ['api.example.com'] })],
});

it.each([
  ['a', 'n/a'],
  ['a.b', 'b/a'],
  ['a.b.svc', 'b/a'],
  ['a.b.svc.cluster.local', 'b/a'],
  ['api.example.com', undefined],
  ['*.b', undefined],
])('knows what %s means', (host, service) => {
  expect(serviceOfHost(host, 'n')).toBe(service);
});

it('finds what is wrong, and where', () => {
  const findings = checkIstioObject(
    object('VirtualService', 'v', {
      gateways: ['app', 'gone'],
      http: [
        {
          route: [
            { destination: { host: 'bussiness-logic' }, weight: 80 },
            { destination: { host: 'business-logic', subset: 'v9' }, weight: 10 },
          ],
        },
      ],
    }),
    world,
  );
  expect(findings.map((finding) => finding.path.join('.'))).toEqual([
    'spec.gateways.1',
    'spec.http.0.route.0.destination.host',
    'spec.http.0.route.1.destination.subset',
    'spec.http.0.route',
  ]);
  expect(findings[1]?.message).toContain('business-logic');
});

it('is content with what is right', () => {
  const good = object('VirtualService', 'v', {
    hosts: ['*'],
    gateways: ['default/app', 'mesh'],
    http: [
      { route: [{ destination: { host: 'business-logic.default.svc.cluster.local', subset: 'v1' } }] },
      { route: [{ destination: { host: 'api.example.com' } }] },
    ],
  });
  expect(checkIstioObject(good, world)).toEqual([]);
  expect(routesOfHost([good], 'business-logic', 'default')).toEqual([{ id: 'default/v', role: 'sends' }]);
  const ruling = object('VirtualService', 'w', { hosts: ['business-logic'], http: [] });
  expect(routesOfHost([good, ruling], 'business-logic', 'default').map((route) => route.id)).toEqual([
    'default/w',
    'default/v',
  ]);
  expect(checkIstioObject(object('DestinationRule', 'd', { host: 'nope' }), world)).toHaveLength(1);
});
