import { messageOf } from '@kind-e2e/base';
import type { Tags } from 'yaml';

/**
 * Options that make `yaml` read as sigs.k8s.io/yaml does: YAML 1.1 with its booleans and merge keys, but without numbers
 * in base 60 and without dates, which go-yaml leaves as they are written.
 */
export const GO_YAML = {
  version: '1.1',
  maxAliasCount: 100,
  uniqueKeys: false,
  merge: true,
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp'),
    ),
} as const;

/** Where the parser stopped, as go-yaml begins its messages; what follows is our parser's word. */
export function goYamlError(error: unknown): string {
  const message = messageOf(error).split('\n')[0] ?? '';
  const place = / at line (\d+), column \d+:?$/.exec(message);
  const plain = place ? message.slice(0, place.index) : message;
  const words = YAML_PROBLEMS.find(([pattern]) => pattern.test(plain))?.[1] ?? plain;
  return place ? `line ${place[1]}: ${words}` : words;
}

const YAML_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/^Flow sequence .*\]$/, "did not find expected ',' or ']'"],
  [/^Flow map .*\}$/, "did not find expected ',' or '}'"],
  [/^Implicit map keys need to be followed by map values$/, "could not find expected ':'"],
  [/^Tabs are not allowed as indentation$/, 'found character that cannot start any token'],
  [/^Nested mappings are not allowed in compact mappings$/, 'mapping values are not allowed in this context'],
];
