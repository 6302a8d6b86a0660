import type { VectorSample } from '@kind-e2e/promql';
import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { AlertState, type EarlierState, restoredActiveAt } from './alert-state.ts';
import type { AlertingRule } from './rule-file.ts';
import { parseRuleFile } from './rule-file.ts';

const MINUTE = 60_000;
const none = (): undefined => undefined;

function ruleOf(fields: string): AlertingRule {
  const yaml = `groups: [{ name: g, rules: [{ alert: Down, expr: up == 0, ${fields} }] }]`;
  const rule = parseRuleFile({ name: 'f', yaml }, MINUTE)[0]?.rules[0];
  if (rule?.kind !== 'alerting') throw new Error('no alerting rule');
  return rule;
}

function vector(...instances: readonly string[]): VectorSample[] {
  return instances.map((instance) => ({
    labels: Labels.fromObject({ __name__: 'up', instance }),
    timestampMs: 0,
    value: 0,
  }));
}

describe('AlertState', () => {
  it('waits for its time, fires, keeps firing, and begins anew', () => {
    const state = new AlertState(ruleOf('for: 2m, keep_firing_for: 3m'), {});
    const seen: string[] = [];
    const present = [true, true, true, false, false, true, false, false, false, false, true];
    present.forEach((isPresent, minute) => {
      state.update(isPresent ? vector('a') : [], minute * MINUTE, 0, none);
      seen.push(state.state);
    });
    expect(seen).toEqual([
      'pending',
      'pending',
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
      'inactive',
      'pending',
    ]);
  });

  it('is not heard of again when it was only pending', () => {
    const state = new AlertState(ruleOf('for: 2m'), {});
    state.update(vector('a'), 0, 0, none);
    state.update([], MINUTE, 0, none);
    expect(state.active).toEqual([]);
    expect(state.notifiable).toEqual([]);
  });

  it('has no alerts when there are more than the limit', () => {
    const state = new AlertState(ruleOf('for: 2m'), {});
    state.update(vector('a', 'b'), 0, 2, none);
    expect(() => state.update(vector('a', 'b', 'c'), MINUTE, 2, none)).toThrow('exceeded limit of 2 with 3 alerts');
    expect(state.active).toEqual([]);
  });

  // An hour's wait, active for so many minutes, then so many minutes away.
  it.each<[what: string, active: number, away: number, activeAtMinute: number]>([
    ['had fired', 70, 20, 0],
    ['had less than the grace period to wait', 55, 20, 25],
    ['had longer to wait', 30, 20, 20],
  ])('after a restart, where it %s', (_what, active, away, activeAtMinute) => {
    const earlier: EarlierState = { activeAtMs: 0, downAtMs: active * MINUTE };
    const nowMs = (active + away) * MINUTE;
    expect(restoredActiveAt(earlier, nowMs, 60 * MINUTE)).toBe(activeAtMinute * MINUTE);
    const state = new AlertState(ruleOf('for: 1h'), {});
    state.update(vector('a'), nowMs, 0, () => earlier);
    expect(state.active).toMatchObject([{ activeAtMs: activeAtMinute * MINUTE }]);
    expect(state.state).toBe(active >= 60 ? 'firing' : 'pending');
  });

  it('begins anew after a restart where the wait is short, and where the restart was long ago', () => {
    const earlier = (): EarlierState => ({ activeAtMs: 0, downAtMs: MINUTE });
    const short = new AlertState(ruleOf('for: 5m'), {});
    short.update(vector('a'), 2 * MINUTE, 0, earlier);
    expect(short.active).toMatchObject([{ activeAtMs: 2 * MINUTE }]);
    const late = new AlertState(ruleOf('for: 1h'), {});
    for (let minute = 2; minute < 4; minute++) late.update([], minute * MINUTE, 0, earlier);
    late.update(vector('a'), 4 * MINUTE, 0, earlier);
    expect(late.active).toMatchObject([{ activeAtMs: 4 * MINUTE }]);
  });
});
