import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import type { RelabelAction, RelabelConfig } from './config-model.ts';
import { relabel } from './relabel.ts';
import { relabelProblem } from './relabel-problem.ts';

const rule = (action: RelabelAction, more: Partial<RelabelConfig> = {}): RelabelConfig => ({
  action,
  sourceLabels: [],
  separator: ';',
  targetLabel: '',
  regex: '(.*)',
  modulus: 0,
  replacement: '$1',
  ...more,
});

const labels = Labels.fromObject({ app: 'Web-Shop', env: 'prod', __meta_zone: 'a1', pod: 'web-7' });
const run = (...rules: readonly RelabelConfig[]): Record<string, string> | undefined =>
  relabel(labels, rules)?.toObject();
const all = labels.toObject();

describe('relabel', () => {
  it.each<[what: string, rules: RelabelConfig[], expected: Record<string, string> | undefined]>([
    [
      'joins sources by the separator and matches all of it',
      [
        rule('replace', {
          sourceLabels: ['env', 'pod'],
          separator: '/',
          regex: '(\\w+)/web-(\\d)',
          targetLabel: 'id',
          replacement: '${2}.$1',
        }),
      ],
      { ...all, id: '7.prod' },
    ],
    [
      'changes nothing where it does not match',
      [rule('replace', { sourceLabels: ['env'], regex: 'pro', targetLabel: 'x' })],
      all,
    ],
    [
      'takes a label away that becomes empty',
      [rule('replace', { sourceLabels: ['none'], targetLabel: 'env' })],
      { app: all.app, __meta_zone: 'a1', pod: 'web-7' } as Record<string, string>,
    ],
    [
      'names the target by the match',
      [rule('replace', { sourceLabels: ['env'], targetLabel: 'is_${1}', replacement: 'yes' })],
      { ...all, is_prod: 'yes' },
    ],
    [
      'does nothing where the target has no name',
      [rule('replace', { sourceLabels: ['none'], targetLabel: '${1}', replacement: 'x' })],
      all,
    ],
    ['keeps', [rule('keep', { sourceLabels: ['env'], regex: 'prod|test' })], all],
    ['drops what is not kept', [rule('keep', { sourceLabels: ['env'], regex: 'test' })], undefined],
    [
      'drops',
      [rule('drop', { sourceLabels: ['env'], regex: 'p.*' }), rule('replace', { targetLabel: 'x' })],
      undefined,
    ],
    ['keeps equal ones', [rule('keepequal', { sourceLabels: ['env'], targetLabel: 'pod' })], undefined],
    ['drops equal ones', [rule('dropequal', { sourceLabels: ['none'], targetLabel: 'absent' })], undefined],
    ['maps names', [rule('labelmap', { regex: '__meta_(.+)' })], { ...all, zone: 'a1' }],
    ['drops names', [rule('labeldrop', { regex: '__meta_.*|pod' })], { app: 'Web-Shop', env: 'prod' }],
    ['keeps names', [rule('labelkeep', { regex: 'app' })], { app: 'Web-Shop' }],
    ['lowers', [rule('lowercase', { sourceLabels: ['app'], targetLabel: 'app' })], { ...all, app: 'web-shop' }],
    ['raises', [rule('uppercase', { sourceLabels: ['app'], targetLabel: 'up' })], { ...all, up: 'WEB-SHOP' }],
    [
      'hashes',
      [rule('hashmod', { sourceLabels: ['pod'], targetLabel: 'shard', modulus: 1000 })],
      { ...all, shard: '837' },
    ],
  ])('%s', (_what, rules, expected) => {
    expect(run(...rules)).toEqual(expected);
  });

  it('changes letters one by one, as Go does', () => {
    const straße = Labels.fromObject({ s: 'straße' });
    const raised = relabel(straße, [rule('uppercase', { sourceLabels: ['s'], targetLabel: 's' })]);
    expect(raised?.toObject()).toEqual({ s: 'STRAßE' });
  });
});

describe('relabelProblem', () => {
  it.each<[config: RelabelConfig, problem: string | undefined]>([
    [rule('hashmod', { targetLabel: 'x' }), 'relabel configuration for hashmod requires non-zero modulus'],
    [rule('replace'), "relabel configuration for replace action requires 'target_label' value"],
    [rule('lowercase', { targetLabel: 'x', replacement: 'y' }), "'replacement' can not be set for lowercase action"],
    [rule('labelmap', { replacement: '' }), '"" is invalid \'replacement\' for labelmap action'],
    [
      rule('keepequal', { targetLabel: 'x', regex: 'a' }),
      "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
    ],
    [rule('labeldrop', { sourceLabels: ['a'] }), "labeldrop action requires only 'regex', and no other fields"],
    [rule('labelkeep', { replacement: 'a' }), "labelkeep action requires only 'regex', and no other fields"],
    [rule('replace', { targetLabel: '${3}' }), undefined],
    [rule('dropequal', { sourceLabels: ['a'], targetLabel: 'b' }), undefined],
  ])('of %o is %s', (config, problem) => {
    expect(relabelProblem(config)).toBe(problem);
  });
});
