import { describe, expect, it } from 'vitest';
import { fieldErrorText } from '../../errors/field-error.ts';
import type { JsonRecord } from '../../values/json.ts';
import { validateContainers } from './containers.ts';

const problemsOf = (container: JsonRecord): string[] =>
  validateContainers(
    {
      containers: [
        {
          name: 'main',
          image: 'x:1',
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePolicy: 'File',
          terminationMessagePath: '/dev/termination-log',
          ...container,
        },
      ],
    },
    { volumes: new Map(), claims: new Set(), restartPolicy: 'Always', gracePeriod: 30, hostUsers: true },
    'spec',
  ).map(fieldErrorText);

describe('restart rules of a container', () => {
  const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } };

  it('are taken beside a policy', () => {
    expect(problemsOf({ restartPolicy: 'Never', restartPolicyRules: [rule] })).toEqual([]);
  });

  it('are refused with all that is wrong', () => {
    const rules = [{ action: 'Stop' }, { ...rule, exitCodes: { operator: 'Is' } }];
    expect(problemsOf({ restartPolicyRules: rules })).toEqual([
      'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart"',
      'spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified',
      'spec.containers[0].restartPolicyRules[1].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
    ]);
    expect(problemsOf({ restartPolicy: 'Sometimes' })).toEqual([
      'spec.containers[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ]);
    expect(problemsOf({ restartPolicy: 'Never', restartPolicyRules: Array.from({ length: 21 }, () => rule) })).toEqual([
      'spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items',
    ]);
  });
});
