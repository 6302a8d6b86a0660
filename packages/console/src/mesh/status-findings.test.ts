import { expect, it } from 'vitest';
import { findingsOfStatus } from './status-findings.ts';

const object = {
  kind: 'VirtualService',
  metadata: { name: 'v', namespace: 'default' },
  spec: {
    hosts: ['reviews'],
    http: [{ route: [{ destination: { host: 'reviews', subset: 'v9' } }, { destination: { host: 'gone' } }] }],
  },
  status: {
    validationMessages: [
      {
        type: { code: 'IST0101', name: 'ReferencedResourceNotFound' },
        level: 'ERROR',
        message: 'Referenced host not found: "gone"',
      },
      {
        type: { code: 'IST0101' },
        level: 'ERROR',
        message: 'Referenced host+subset in destinationrule not found: "reviews+v9"',
      },
      { type: { code: 'IST0130', name: 'VirtualServiceUnreachableRule' }, level: 'WARNING' },
      { type: { code: 'IST0118' }, level: 'INFO', message: 'Port name "x"' },
    ],
  },
};

it('puts the messages of the analysis on the field that they quote', () => {
  expect(
    findingsOfStatus(object, []).map((finding) => [finding.severity, finding.path.join('.'), finding.message]),
  ).toEqual([
    ['error', 'spec.http.0.route.1.destination.host', 'IST0101 Referenced host not found: "gone"'],
    [
      'error',
      'spec.http.0.route.0.destination.subset',
      'IST0101 Referenced host+subset in destinationrule not found: "reviews+v9"',
    ],
    ['warning', 'spec', 'IST0130 VirtualServiceUnreachableRule'],
  ]);
});

it('says nothing twice', () => {
  const known = [
    { severity: 'error' as const, message: 'KIA1101', path: ['spec', 'http', 0, 'route', 1, 'destination', 'host'] },
  ];
  expect(findingsOfStatus(object, known)).toHaveLength(2);
  expect(findingsOfStatus({ ...object, status: {} }, [])).toEqual([]);
});
