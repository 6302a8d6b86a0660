import { expect, test } from 'vitest';
import { parseHelmfile, releaseKey } from './helmfile.ts';

const HEAD = 'repositories:\n  - name: istio\n    url: https://example.test/charts\n';
const release = (fields: string): string => `${HEAD}releases:\n  - ${fields.trim().replaceAll('\n', '\n    ')}\n`;
const GOOD = 'name: a\nnamespace: ns\nchart: istio/base\nversion: 1.2.3\n';

test('reads releases with defaults, values, sets and needs', () => {
  const text = `${HEAD}helmDefaults:\n  wait: true\n  timeout: 60\nreleases:
  - name: b
    namespace: ns
    chart: ./helm/b
    values: [b.yaml]
    set: [{ name: x, value: 1 }, { name: y, file: y.json }]
    needs: [ns/a]
    timeout: 90
  - { name: a, namespace: ns, chart: istio/base, version: 1.2.3 }`;
  const { releases, repositories } = parseHelmfile(text);
  expect(repositories).toEqual([{ name: 'istio', url: 'https://example.test/charts' }]);
  expect(releases.map(releaseKey)).toEqual(['ns/a', 'ns/b']);
  expect(releases[1]).toEqual({
    name: 'b',
    namespace: 'ns',
    chart: './helm/b',
    version: undefined,
    values: ['b.yaml'],
    set: [
      { name: 'x', value: 1 },
      { name: 'y', file: 'y.json' },
    ],
    needs: ['ns/a'],
    timeoutSeconds: 90,
  });
  expect(releases[0]?.timeoutSeconds).toBe(60);
});

const REFUSED: readonly [string, string, RegExp][] = [
  ['an unknown section', 'environments: {}', /^helmfile\.yaml:1: environments in the file is not supported/],
  ['an unknown field', release(`${GOOD}hooks: []`), /:9: hooks in releases\[0\] is not supported/],
  ['a template', release(GOOD.replace('1.2.3', '"{{ .Values.v }}"')), /:8: .*is a template/],
  ['no version', release('name: a\nnamespace: ns\nchart: istio/base'), /the chart istio\/base has no version/],
  ['an unknown repository', release(GOOD.replace('istio/', 'other/')), /other\/base is of no repository/],
  ['an unknown need', release(`${GOOD}needs: [ns/zzz]`), /ns\/a needs ns\/zzz, which is no release/],
  ['a circle', release(`${GOOD}needs: [ns/a]`), /these need each other: ns\/a/],
  ['the same twice', `${release(GOOD)}  - { ${GOOD.trim().replaceAll('\n', ', ')} }`, /ns\/a is there twice/],
  ['a number as name', release(GOOD.replace('name: a', 'name: 1')), /name is not a text/],
  ['wait: false', `${HEAD}helmDefaults: { wait: false }`, /leave it true|helmDefaults\.wait: false/],
  ['broken YAML', 'releases: [', /^helmfile\.yaml:\d+: /],
  ['a set without a value', release(`${GOOD}set: [{ name: x }]`), /neither a plain value nor a file/],
];

for (const [title, text, message] of REFUSED)
  test(`refuses ${title}`, () => {
    expect(() => parseHelmfile(text)).toThrow(message);
  });
