import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { isStaleAt, Labels, type SampleSeries } from '@kind-e2e/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { openTelemetryStore, parsePrometheusConfig, Scraper } from '../src/index.ts';
import { relabel } from '../src/scrape/relabel.ts';
import { type ExposedSample, parseExposition } from '../src/scrape/text-parser.ts';
import { matcher, temporaryDirectory } from './fixtures.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function samplesOf(text: string, openMetrics: boolean): ExposedSample[] {
  const samples: ExposedSample[] = [];
  parseExposition(text, openMetrics, { sample: (sample) => samples.push(sample), metadata: () => {} });
  return samples;
}

describe('parseExposition', () => {
  it('reads the text format', () => {
    const text = `# HELP a What \\n it is
# TYPE a counter
a{x="1",y="q\\"u\\\\o\\nte",} 3 1700000000000
  b   +Inf
c{} NaN
{"utf.8", z="ü"} 1e3
# just a comment
`;
    expect(
      samplesOf(text, false).map(({ name, labels, value, timestampMs }) => [name, labels, value, timestampMs]),
    ).toEqual([
      [
        'a',
        [
          ['x', '1'],
          ['y', 'q"u\\o\nte'],
        ],
        3,
        1700000000000,
      ],
      ['b', [], Infinity, undefined],
      ['c', [], Number.NaN, undefined],
      ['utf.8', [['z', 'ü']], 1000, undefined],
    ]);
  });

  it('reads OpenMetrics with exemplars, and wants its end', () => {
    const text = '# TYPE a counter\na_bucket{le="1"} 3 1700000000.5 # {trace_id="abc"} 0.7 1700000000.25\n# EOF\n';
    const [sample] = samplesOf(text, true);
    expect(sample?.timestampMs).toBe(1700000000500);
    expect(sample?.exemplar).toEqual({
      labels: Labels.fromObject({ trace_id: 'abc' }),
      value: 0.7,
      timestampMs: 1700000000250,
    });
  });

  // What a running Prometheus 3.5.3 said of targets with these texts, but for the token that it names.
  it.each<[text: string, openMetrics: boolean, error: string]>([
    ['a x\n', false, 'strconv.ParseFloat: parsing "x": invalid syntax while parsing: "a x"'],
    ['a 0x10\n', false, 'strconv.ParseFloat: parsing "0x10": invalid syntax while parsing: "a 0x10"'],
    ['a 1e400\n', false, 'strconv.ParseFloat: parsing "1e400": value out of range while parsing: "a 1e400"'],
    ['a 1_000\n', false, 'unsupported character in float while parsing: "a 1_000"'],
    ['a 1\r\nb 2\r\n', false, 'strconv.ParseFloat: parsing "1\\r": invalid syntax while parsing: "a 1\\r"'],
    ['a\n', false, 'expected value after metric while parsing: "a"'],
    ['a 1 2 3\n', false, 'expected next entry after timestamp while parsing: "a 1 2 3"'],
    ['a 1 1.5\n', false, 'expected timestamp or new record while parsing: "a 1 1.5"'],
    ['a{x=1} 1\n', false, 'expected label value while parsing: "a{x=1} 1"'],
    ['a{a:b="1"} 1\n', false, 'expected equal while parsing: "a{a:b=\\"1\\"} 1"'],
    ['a{"b"} 1\n', false, 'metric name already set while parsing: "a{\\"b\\"} 1"'],
    ['{} 1\n', false, 'metric name not set while parsing: "{} 1"'],
    ['a{x="1",x="2"} 1\n', false, 'label name "x" is not unique: invalid sample'],
    ['a{__name__="b"} 1\n', false, 'label name "__name__" is not unique: invalid sample'],
    ['# TYPE a foo\n', false, 'invalid metric type "foo"'],
    ['a 1\n', true, 'data does not end with # EOF'],
    ['a 1\n# EOF\nb 1\n', true, 'unexpected data after # EOF'],
    ['a 1\n# EOF\r\n', true, 'unexpected data after # EOF'],
    ['a  1\n# EOF\n', true, 'expected value after metric while parsing: "a  1"'],
    ['a\t1\n# EOF\n', true, 'expected value after metric while parsing: "a\\t1"'],
  ])('refuses %j', (text, openMetrics, error) => {
    expect(() => samplesOf(text, openMetrics)).toThrow(error);
  });

  it("writes buckets' bounds and quantiles as floats, as Prometheus 3 does", () => {
    const text = `# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="0.005"} 1
h_bucket{le="1000000"} 1
h_bucket{le="+Inf"} 1
# TYPE s summary
s{quantile="1",le="1"} 4
# TYPE g gauge
g{le="1"} 1
`;
    expect(samplesOf(text, false).map(({ labels }) => labels.map(([, value]) => value).join())).toEqual([
      '1.0',
      '0.005',
      '1e+06',
      '+Inf',
      '1.0,1',
      '1',
    ]);
  });
});

describe('relabel', () => {
  const config = (yaml: string) =>
    parsePrometheusConfig(`scrape_configs: [{ job_name: x, relabel_configs: [${yaml}] }]`).scrapeConfigs[0]!
      .relabelConfigs;
  const labels = Labels.fromObject({ a: 'foo', b: 'bar', __meta_x: '1' });
  it.each([
    ['{ source_labels: [a, b], regex: "f(.*);(.*)r", target_label: d, replacement: "$1-$2" }', { d: 'oo-ba' }],
    ['{ regex: "__meta_(.*)", action: labelmap, replacement: "m_$1" }', { m_x: '1' }],
    ['{ source_labels: [a], target_label: a, regex: ".*", replacement: "" }', { a: '' }],
    ['{ source_labels: [a], target_label: d, action: uppercase }', { d: 'FOO' }],
    ['{ regex: "a|b", action: labeldrop }', { a: '', b: '' }],
    ['{ source_labels: [a], target_label: d, action: hashmod, modulus: 1000 }', { d: '832' }],
  ])('%s', (yaml, change) => {
    const found = relabel(labels, config(yaml));
    if ('d' in change && yaml.includes('hashmod')) expect(Number(found?.get('d'))).toBeLessThan(1000);
    else expect(found).toEqual(labels.with(change as Record<string, string>));
  });
  it('keeps and drops', () => {
    expect(relabel(labels, config('{ source_labels: [a], regex: "fo+", action: keep }'))).toEqual(labels);
    expect(relabel(labels, config('{ source_labels: [a], regex: "fo", action: keep }'))).toBeUndefined();
    expect(relabel(labels, config('{ source_labels: [a], regex: "fo+", action: drop }'))).toBeUndefined();
  });
});

describe('parsePrometheusConfig', () => {
  it('names the field that is wrong', () => {
    expect(() => parsePrometheusConfig('scrape_configs: [{ job_name: a, consul_sd_configs: [] }]')).toThrow(
      'config.scrape_configs[0].consul_sd_configs: this field is not supported',
    );
    expect(() => parsePrometheusConfig('scrape_configs: [{ job_name: a }, { job_name: a }]')).toThrow(
      'multiple scrape configs',
    );
    expect(() => parsePrometheusConfig('global: { scrape_interval: 5 parsecs }')).toThrow(
      'config.global.scrape_interval',
    );
    expect(() =>
      parsePrometheusConfig('scrape_configs: [{ job_name: a, relabel_configs: [{ regex: "(", target_label: x }] }]'),
    ).toThrow('relabel_configs[0].regex');
  });
});

describe('Scraper', () => {
  it('scrapes, marks what is gone as stale, tells of failures and keeps limits', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path });
    let body = 'a{instance="own"} 1\nb 2\ndropped 3\n';
    let status = 200;
    const address = await serve((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4', 'content-encoding': 'gzip' });
      response.end(gzipSync(body));
    });
    const config = `
global: { scrape_interval: 100ms }
scrape_configs:
  - job_name: web
    static_configs: [{ targets: ["${address}"], labels: { env: test } }]
    relabel_configs: [{ target_label: zone, replacement: z1 }]
    metric_relabel_configs: [{ source_labels: [__name__], regex: dropped, action: drop }]
`;
    await using scraper = new Scraper({ config, writer: store.metrics });
    const read = (name: string): SampleSeries | undefined =>
      store.metrics.select({ matchers: [matcher('__name__', name)], startMs: 0, endMs: Infinity })[0];
    const last = (series: SampleSeries | undefined) => series?.values.at(-1);
    const a = await until(() => read('a'));
    expect(a.labels.toObject()).toEqual({
      __name__: 'a',
      env: 'test',
      exported_instance: 'own',
      instance: address,
      job: 'web',
      zone: 'z1',
    });
    expect(read('dropped')).toBeUndefined();
    expect(last(read('up'))).toBe(1);
    expect(last(read('scrape_samples_scraped'))).toBe(3);
    expect(last(read('scrape_samples_post_metric_relabeling'))).toBe(2);
    expect(scraper.activeTargets()).toMatchObject([
      { health: 'up', scrapePool: 'web', scrapeUrl: `http://${address}/metrics` },
    ]);
    body = 'a{instance="own"} 5\n';
    await until(() => {
      const b = read('b');
      return b && isStaleAt(b.values, b.values.length - 1);
    });
    expect(last(read('a'))).toBe(5);
    status = 500;
    await until(() => last(read('up')) === 0);
    const down = read('a')!;
    expect(isStaleAt(down.values, down.values.length - 1)).toBe(true);
    expect(scraper.activeTargets()[0]).toMatchObject({
      health: 'down',
      lastError: 'server returned HTTP status 500 Internal Server Error',
    });
    status = 200;
    body = 'a 1\nb 2\nc 3\n';
    scraper.reload(config.replace('    metric_relabel', '    sample_limit: 2\n    metric_relabel'));
    await until(() => scraper.activeTargets()[0]?.lastError === 'sample limit exceeded');
  });
});
