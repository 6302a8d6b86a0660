import { celTypeName, isRecord, type KubeObject, StatusError } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import type { ResourceTable } from '../../resources/resource-table.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { forbiddenBy } from '../refusal.ts';
import { isPolicyKind, matchesResources } from './match-resources.ts';
import { ParamKindError, ParamsError, paramsFor } from './policy-params.ts';
import {
  aggregate,
  matchConditions,
  run,
  type VariableSources,
  type Variables,
  variablesOf,
  withPolicyVariables,
} from './policy-variables.ts';

const GROUP = 'admissionregistration.k8s.io';
const POLICIES = `${GROUP}/validatingadmissionpolicies`;
const BINDINGS = `${GROUP}/validatingadmissionpolicybindings`;
const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

export interface PolicySources extends VariableSources {
  readonly resources: ResourceTable;
}

interface Decision {
  readonly message: string;
  readonly reason: string;
  /** The policy does not work: it refuses, whatever its bindings do about what it has to say. */
  readonly isBroken?: boolean;
}

/**
 * ValidatingAdmissionPolicies: each policy with each of its bindings and their parameters, in the order of their names
 * (`plugin/policy/validating/dispatcher.go`).
 */
export function validatingPolicies(sources: PolicySources): AdmissionPlugin {
  const { store } = sources;
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(attributes) {
      // Policies say nothing of policies, so that nobody locks themselves out.
      if (isPolicyKind(attributes)) return;
      for (const policy of store.collection(POLICIES).records()) {
        const bindings = [...store.collection(BINDINGS).records()].filter(
          ({ object }) => sectionOf(object, 'spec').policyName === policy.name,
        );
        if (bindings.length === 0) continue;
        const spec = sectionOf(policy.object, 'spec');
        if (!matchesResources(store, constraintsOf(spec.matchConstraints), attributes)) continue;
        for (const binding of bindings) {
          const bound = sectionOf(binding.object, 'spec');
          if (!matchesResources(store, constraintsOf(bound.matchResources), attributes)) continue;
          try {
            judge(policy.name, binding.name, bound, attributes, decideAll(sources, spec, bound, attributes));
          } catch (error) {
            if (!(error instanceof ParamKindError)) throw error;
            if (spec.failurePolicy === 'Ignore') continue;
            const message = `ValidatingAdmissionPolicy '${policy.name}' denied request: failed to configure policy: ${error.message}`;
            throw denial(attributes, message, 'Invalid');
          }
        }
      }
    },
  };
}

function constraintsOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function judge(
  policyName: string,
  bindingName: string,
  binding: Json,
  attributes: AdmissionAttributes,
  decisions: readonly Decision[],
): void {
  const actions = Array.isArray(binding.validationActions) ? binding.validationActions : [];
  const place = `ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}'`;
  if (actions.includes('Warn'))
    for (const { message, isBroken } of decisions)
      if (isBroken !== true) attributes.warnings.push(`Validation failed for ${place}: ${message}`);
  const first = decisions.find(({ isBroken }) => isBroken === true || actions.includes('Deny'));
  if (first) throw denial(attributes, `${place} denied request: ${first.message}`, first.reason);
}

function denial({ resource, object }: AdmissionAttributes, message: string, reason: string): StatusError {
  const { status } = forbiddenBy(resource, object, message);
  return new StatusError({
    ...status,
    reason,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ message }] },
  });
}

/** What a policy has against a write with the parameters of a binding, one after the other. */
function decideAll(sources: PolicySources, spec: Json, binding: Json, attributes: AdmissionAttributes): Decision[] {
  let params: readonly (KubeObject | undefined)[];
  try {
    params = paramsFor(sources, spec, binding, attributes);
  } catch (error) {
    if (!(error instanceof ParamsError)) throw error;
    if (spec.failurePolicy === 'Ignore') return [];
    return [{ message: `failed to configure binding: ${error.message}`, reason: 'Invalid', isBroken: true }];
  }
  return params.flatMap((param) => decide(spec, variablesOf(sources, attributes, param)));
}

/** What a policy has against a write; nothing where its conditions do not hold. */
function decide(spec: Json, base: Variables): Decision[] {
  const isStrict = spec.failurePolicy !== 'Ignore';
  const failed = (source: string, error: string): Decision[] =>
    isStrict ? [{ message: `expression '${source}' resulted in error: ${error}`, reason: 'Invalid' }] : [];
  const { matches, errors } = matchConditions(spec, base);
  if (errors.length > 0) return isStrict ? [{ message: aggregate(errors), reason: 'Invalid' }] : [];
  if (!matches) return [];
  const all = withPolicyVariables(spec, base);
  const decisions = recordsIn(spec, 'validations').flatMap((validation): Decision[] => {
    const source = String(validation.expression ?? '');
    const result = run(source, all);
    if ('error' in result) return failed(source, result.error);
    if (result.value === true) return [];
    return [{ message: messageOf(validation, source, all), reason: String(validation.reason || 'Invalid') }];
  });
  return isStrict ? [...decisions, ...brokenAnnotations(spec, all)] : decisions;
}

/** Annotations for an audit log, which nobody keeps here: only what is wrong with them counts. */
function brokenAnnotations(spec: Json, variables: Variables): Decision[] {
  return recordsIn(spec, 'auditAnnotations').flatMap(({ valueExpression }) => {
    const source = String(valueExpression ?? '');
    const result = run(source, variables);
    const problem =
      'error' in result
        ? `expression '${source}' resulted in error: ${result.error}`
        : result.value === null || typeof result.value === 'string'
          ? undefined
          : `valueExpression '${source}' resulted in unsupported return type: ${celTypeName(result.value)}. Return type must be either string or null.`;
    return problem === undefined ? [] : [{ message: problem, reason: 'Invalid', isBroken: true }];
  });
}

function messageOf(validation: Json, source: string, variables: Variables): string {
  if (typeof validation.messageExpression === 'string' && validation.messageExpression !== '') {
    const result = run(validation.messageExpression, variables);
    if ('value' in result && typeof result.value === 'string') {
      const text = result.value.trim();
      if (text !== '' && !text.includes('\n')) return text;
    }
  }
  const message = typeof validation.message === 'string' ? validation.message.trim() : '';
  return message === '' ? `failed expression: ${source.trim()}` : message;
}
