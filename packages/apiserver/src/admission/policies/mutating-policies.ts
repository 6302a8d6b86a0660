import { isRecord, jsonEquals, type KubeObject, StatusError } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { forbiddenBy } from '../refusal.ts';
import { isPolicyKind, matchesResources } from './match-resources.ts';
import { MutationError, mutated } from './mutation.ts';
import { ParamKindError, ParamsError, paramsFor } from './policy-params.ts';
import { aggregate, matchConditions, type Variables, variablesOf, withPolicyVariables } from './policy-variables.ts';
import type { PolicySources } from './validating-policies.ts';

const GROUP = 'admissionregistration.k8s.io';
const POLICIES = `${GROUP}/mutatingadmissionpolicies`;
const BINDINGS = `${GROUP}/mutatingadmissionpolicybindings`;

/** One policy by one of its bindings. */
interface Bound {
  readonly policy: string;
  readonly binding: string;
  readonly spec: Json;
  readonly bound: Json;
}

interface Problem {
  readonly message: string;
  readonly reason: 'Forbidden' | 'Invalid';
}

/**
 * MutatingAdmissionPolicies: each policy with each of its bindings and their parameters, in the order of their names
 * (`plugin/policy/mutating/dispatcher.go`).
 */
export function mutatingPolicies(sources: PolicySources): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionPolicy',
    mutate(attributes) {
      if (attributes.operation === 'DELETE' || isPolicyKind(attributes)) return undefined;
      const bound = boundPolicies(sources, attributes);
      return bound.length === 0 ? undefined : changedBy(sources, bound, attributes);
    },
  };
}

function boundPolicies({ store }: PolicySources, attributes: AdmissionAttributes): Bound[] {
  const policies = store.collection(POLICIES);
  if (policies.size === 0) return [];
  const bindings = [...store.collection(BINDINGS).records()];
  return [...policies.records()].flatMap((policy) => {
    const spec = sectionOf(policy.object, 'spec');
    const own = bindings.filter(({ object }) => sectionOf(object, 'spec').policyName === policy.name);
    if (own.length === 0 || !matchesResources(store, sectionIn(spec.matchConstraints), attributes)) return [];
    return own
      .map(({ name, object }) => ({ policy: policy.name, binding: name, spec, bound: sectionOf(object, 'spec') }))
      .filter(({ bound }) => matchesResources(store, sectionIn(bound.matchResources), attributes));
  });
}

function sectionIn(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function changedBy(sources: PolicySources, policies: readonly Bound[], attributes: AdmissionAttributes): KubeObject {
  const { reinvocation } = attributes;
  const problems: Problem[] = [];
  let current = attributes;
  reinvocation.policies.begin(reinvocation.isSecond, JSON.stringify(current.object));
  for (const bound of policies) {
    const fail = (message: string, reason: Problem['reason']): void => {
      if (bound.spec.failurePolicy === 'Ignore') return;
      const place = `policy '${bound.policy}' with binding '${bound.binding}'`;
      problems.push({ message: `${place} denied request: ${message}`, reason });
    };
    try {
      for (const param of paramsFor(sources, bound.spec, bound.bound, attributes))
        current = { ...current, object: changedOnce(sources, bound, param, current, fail) };
    } catch (error) {
      if (error instanceof ParamKindError) {
        if (bound.spec.failurePolicy !== 'Ignore')
          problems.push({
            message: `policy "${bound.policy}" denied request: failed to configure policy: ${error.message}`,
            reason: 'Forbidden',
          });
      } else if (error instanceof ParamsError) fail(`failed to configure binding: ${error.message}`, 'Forbidden');
      else throw error;
    }
  }
  const [first] = problems;
  if (first) throw refusal(attributes, first, problems);
  reinvocation.policies.end(JSON.stringify(current.object));
  return current.object;
}

/** All mutations of one policy with one set of parameters, in their order. */
function changedOnce(
  sources: PolicySources,
  { policy, binding, spec }: Bound,
  param: KubeObject | undefined,
  attributes: AdmissionAttributes,
  fail: (message: string, reason: Problem['reason']) => void,
): KubeObject {
  const { reinvocation, resource } = attributes;
  const variables = (object: KubeObject): Variables => variablesOf(sources, { ...attributes, object }, param);
  const { matches, errors } = matchConditions(spec, variables(attributes.object));
  if (errors.length > 0) fail(aggregate(errors), 'Invalid');
  if (errors.length > 0 || !matches) return attributes.object;
  const id = JSON.stringify([policy, binding, param?.metadata?.namespace, param?.metadata?.name]);
  if (reinvocation.isSecond && !reinvocation.policies.isAskedAgain(id)) return attributes.object;
  let { object } = attributes;
  for (const mutation of recordsIn(spec, 'mutations'))
    try {
      object = mutated(resource, object, mutation, withPolicyVariables(spec, variables(object)));
    } catch (error) {
      if (!(error instanceof MutationError)) throw error;
      fail(error.message, 'Invalid');
    }
  if (!jsonEquals(object, attributes.object)) reinvocation.require(reinvocation.policies);
  if (spec.reinvocationPolicy === 'IfNeeded') reinvocation.policies.add(id);
  return object;
}

function refusal(
  { resource, object }: AdmissionAttributes,
  { message, reason }: Problem,
  problems: readonly Problem[],
): StatusError {
  const { status } = forbiddenBy(resource, object, message);
  const causes = problems.map((problem) => ({ message: problem.message }));
  return new StatusError({ ...status, message, reason, details: { ...status.details, causes } });
}
