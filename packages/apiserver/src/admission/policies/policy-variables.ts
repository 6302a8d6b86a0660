import {
  type CelValue,
  compileExpression,
  dynamicValue,
  type Expression,
  evaluateExpression,
  evaluationFailure,
  type KubeObject,
  POLICY_VARIABLES,
} from '@kind-e2e/kube-api';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';

export type Variables = ReadonlyMap<string, CelValue>;

const compiled = new Map<string, Expression>();
const MAX_COMPILED = 1_000;

/** What an expression of a policy or webhook gives. */
export function run(source: string, variables: Variables): ReturnType<typeof evaluateExpression> {
  let expression = compiled.get(source);
  if (expression === undefined) {
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    expression = compileExpression(source, POLICY_VARIABLES);
    compiled.set(source, expression);
  }
  if (expression.expr === undefined) return evaluationFailure(`compilation error: ${expression.problem ?? ''}`);
  return evaluateExpression(expression.expr, variables);
}

/** How the `matchConditions` of a policy or webhook come out; an error counts where none says no (`matchconditions.Matcher`). */
export function matchConditions(
  spec: Json,
  variables: Variables,
): { readonly matches: boolean; readonly errors: string[] } {
  const errors: string[] = [];
  for (const condition of recordsIn(spec, 'matchConditions')) {
    const source = String(condition.expression ?? '');
    const result = run(source, variables);
    if ('error' in result) errors.push(`expression '${source}' resulted in error: ${result.error}`);
    else if (result.value !== true) return { matches: false, errors: [] };
  }
  return { matches: errors.length === 0, errors };
}

/** What the expressions of policies and webhooks may read of a write. */
export function variablesOf(store: ObjectStore, attributes: AdmissionAttributes): Variables {
  const { resource, operation, subresource, object, old, user, dryRun } = attributes;
  const { group, version, kind, plural, namespaced } = resource.definition;
  const namespace = object.metadata?.namespace ?? '';
  const gvk = { group, version, kind };
  const gvr = { group, version, resource: plural };
  const parts = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource };
  const request = {
    kind: gvk,
    resource: gvr,
    requestKind: gvk,
    requestResource: gvr,
    ...parts,
    name: object.metadata?.name ?? '',
    namespace,
    operation,
    userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
    dryRun,
  };
  const own = namespaced ? store.collection('namespaces').get('', namespace)?.object : undefined;
  const shown = (one: KubeObject | undefined): CelValue => dynamicValue(one);
  return new Map<string, CelValue>([
    ['object', operation === 'DELETE' ? null : shown(object)],
    ['oldObject', operation === 'CREATE' ? null : shown(old)],
    ['request', dynamicValue(request)],
    ['namespaceObject', shown(own)],
    ['params', null],
  ]);
}

/** Several errors as one (`utilerrors.NewAggregate`). */
export function aggregate(errors: readonly string[]): string {
  const [first = ''] = errors;
  return errors.length === 1 ? first : `[${errors.join(', ')}]`;
}
