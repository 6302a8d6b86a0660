import {
  authorizerValue,
  type CelValue,
  dynamicValue,
  evaluateExpression,
  evaluationFailure,
  type KubeObject,
  LazyValues,
  parseExpression,
  resourceCheckValue,
} from '@kind-e2e/kube-api';
import type { RbacAuthorizer } from '../../auth/rbac-authorizer.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { authorizerFor } from './policy-authorizer.ts';

export type Variables = ReadonlyMap<string, CelValue>;

export interface VariableSources {
  readonly store: ObjectStore;
  readonly authorizer: RbacAuthorizer;
}

const compiled = new Map<string, ReturnType<typeof parseExpression>>();
const MAX_COMPILED = 1_000;

/** What an expression of a policy or webhook gives. */
export function run(source: string, variables: Variables): ReturnType<typeof evaluateExpression> {
  let expression = compiled.get(source);
  if (expression === undefined) {
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    expression = parseExpression(source);
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
export function variablesOf(
  { store, authorizer }: VariableSources,
  attributes: AdmissionAttributes,
  param?: KubeObject,
): Variables {
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
  const asked = authorizerFor(authorizer, user);
  const access = { group, resource: plural, subresource, namespace, name: object.metadata?.name ?? '' };
  const shown = (one: KubeObject | undefined): CelValue => dynamicValue(one);
  return new Map<string, CelValue>([
    ['object', operation === 'DELETE' ? null : shown(object)],
    ['oldObject', operation === 'CREATE' ? null : shown(old)],
    ['request', dynamicValue(request)],
    ['namespaceObject', shown(own)],
    ['params', shown(param)],
    ['authorizer', authorizerValue(asked)],
    ['authorizer.requestResource', resourceCheckValue(asked, access)],
  ]);
}

/** The variables with those that a policy makes of them, each when it is first read. */
export function withPolicyVariables(spec: Json, base: Variables): Variables {
  const all = new Map(base);
  const makers = new Map<string, () => CelValue>();
  for (const variable of recordsIn(spec, 'variables'))
    makers.set(String(variable.name), () => {
      const result = run(String(variable.expression ?? ''), all);
      if ('error' in result) throw result.failure;
      return result.value;
    });
  return all.set('variables', new LazyValues(makers));
}

/** Several errors as one (`utilerrors.NewAggregate`). */
export function aggregate(errors: readonly string[]): string {
  const [first = ''] = errors;
  return errors.length === 1 ? first : `[${errors.join(', ')}]`;
}
