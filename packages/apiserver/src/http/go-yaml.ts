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
