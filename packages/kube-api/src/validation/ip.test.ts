import { expect, test } from 'vitest';
import { cidrProblem, forgiveOldAddresses, ipProblem } from './ip.ts';

test.each([
  ['10.0.0.1', undefined],
  ['2001:DB8::1', undefined],
  ['010.0.0.1', 'must not have leading 0s'],
  ['::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
  ['fe80::1%eth0', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ['1.2.3', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
])('address %s', (text, detail) => expect(ipProblem(text, 'f')[0]?.detail).toBe(detail));

test.each([
  ['10.0.0.0/8', undefined],
  ['0.0.0.0/0', undefined],
  ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
  ['10.0.0.1/24', 'must not have bits set beyond the prefix length'],
  ['10.0.0.0/33', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
])('network %s', (text, detail) => expect(cidrProblem(text, 'f')[0]?.detail).toBe(detail));

test('an address that was stored before the rule may stay', () => {
  const errors = [...ipProblem('010.0.0.1', 'a'), ...ipProblem('010.0.0.2', 'b'), ...ipProblem('x', 'c')];
  const kept = forgiveOldAddresses(errors, { spec: { externalIPs: ['010.0.0.1', 'x'] } });
  expect(kept.map(({ field }) => field)).toEqual(['b', 'c']);
});
