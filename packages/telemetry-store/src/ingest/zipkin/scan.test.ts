import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeZipkin } from './encode.ts';
import { parseZipkinJson } from './parse.ts';
import { scanZipkinJson } from './scan.ts';

const NOW_US = 1_700_000_000_000_000;
const slow = (body: Buffer): Buffer => encodeZipkin(parseZipkinJson(body), NOW_US);

const word = fc.string({ unit: fc.constantFrom(...'abz/.:-_ 09~!'), maxLength: 80 });
const hex = (max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 1, maxLength: max });
const time = fc.integer({ min: 0, max: 2_000_000_000_000_000 });
const endpoint = fc.option(
  fc.record(
    { serviceName: word, ipv4: fc.constantFrom('10.0.0.1', ''), ipv6: word, port: fc.nat(65_535) },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const span = fc.record(
  {
    traceId: hex(32),
    id: hex(16),
    parentId: hex(16),
    name: word,
    kind: fc.constantFrom('CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'),
    timestamp: time,
    duration: fc.nat(),
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    tags: fc.dictionary(
      fc.oneof(
        word.map((key) => `k${key}`),
        fc.constant('error'),
      ),
      word,
    ),
    annotations: fc.array(fc.record({ timestamp: time, value: word }), { maxLength: 3 }),
    shared: fc.boolean(),
    debug: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id'] },
);

describe('Zipkin JSON from its bytes', () => {
  it('gives the bytes that the parsed objects give', () => {
    let scanned = 0;
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), fc.boolean(), (spans, isIndented) => {
        const body = Buffer.from(JSON.stringify(spans, undefined, isIndented ? 2 : 0));
        const bytes = scanZipkinJson(body, NOW_US);
        expect(bytes?.toString('hex')).toBe(slow(body).toString('hex'));
        scanned++;
      }),
      { numRuns: 300 },
    );
    expect(scanned).toBe(300);
  });

  it('leaves to the parser whatever is of another shape', () => {
    const ids = '"traceId":"1","id":"2"';
    for (const body of [
      '',
      '{}',
      '[',
      '[]x',
      '[{}]',
      '[1]',
      `[{${ids}},]`,
      `[{${ids},}]`,
      `[{${ids}}] []`,
      `[{${ids}`,
      '[{"traceId":"1"}]',
      '[{"traceId":"xyz","id":"2"}]',
      `[{"traceId":"${'1'.repeat(33)}","id":"2"}]`,
      `[{${ids},"name":"a\\nb"}]`,
      `[{${ids},"name":"ä"}]`,
      `[{${ids},"name":"a\nb"}]`,
      `[{${ids},"name":null}]`,
      `[{${ids},"kind":"server"}]`,
      `[{${ids},"kind":"OTHER"}]`,
      `[{${ids},"timestamp":1.5}]`,
      `[{${ids},"timestamp":-1}]`,
      `[{${ids},"timestamp":01}]`,
      `[{${ids},"timestamp":1e3}]`,
      `[{${ids},"timestamp":"1"}]`,
      `[{${ids},"duration":99999999999999999999}]`,
      `[{${ids},"tags":{"a":1}}]`,
      `[{${ids},"tags":["a"]}]`,
      `[{${ids},"tags":{"error":"a","error":"b"}}]`,
      `[{${ids},"localEndpoint":null}]`,
      `[{${ids},"localEndpoint":{"port":"x"}}]`,
      `[{${ids},"annotations":[{"timestamp":1}]}]`,
      `[{${ids},"shared":1}]`,
      `[{${ids},"other":1}]`,
    ])
      expect(scanZipkinJson(Buffer.from(body), NOW_US), body).toBeUndefined();
  });

  it('takes an empty list, and white space', () => {
    expect(scanZipkinJson(Buffer.from(' [ ] \n'), NOW_US)).toEqual(Buffer.alloc(0));
    const body = Buffer.from('\n[ { "traceId" : "0A" , "id" : "b" , "tags" : { } } ]\t');
    expect(scanZipkinJson(body, NOW_US)).toEqual(slow(body));
  });

  it('lets the last of a key that is given twice count', () => {
    const body = Buffer.from('[{"traceId":"1","id":"2","name":"a","tags":{"a":"b"},"tags":{"c":"d"},"name":"z"}]');
    expect(scanZipkinJson(body, NOW_US)).toEqual(slow(body));
  });
});
