import { expect, it } from 'vitest';
import { rankCandidates, traceIdIn } from './command-search.ts';

it('finds a trace id in a pasted log line', () => {
  expect(traceIdIn('[trace_id=0a75f8c5005afeb273ed1b59c5b7714d span_id=9e7a13010adc8a80]')).toBe(
    '0a75f8c5005afeb273ed1b59c5b7714d',
  );
  expect(traceIdIn('9E7A13010ADC8A80')).toBe('9e7a13010adc8a80');
  expect(traceIdIn('front-end')).toBeUndefined();
});

it('puts beginnings first and keeps groups together', () => {
  const all = [
    { group: 'Pods', label: 'my-front-end' },
    { group: 'Services', label: 'front-end' },
    { group: 'Pods', label: 'front-end-1' },
    { group: 'Pods', label: 'zipkin' },
  ];
  expect(rankCandidates(all, 'front').map((item) => item.label)).toEqual(['front-end', 'front-end-1', 'my-front-end']);
});
