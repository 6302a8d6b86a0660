import { type CelValue, isRecord, LazyValues, StatusError } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { forbiddenBy } from '../refusal.ts';
import { matchesResources } from './match-resources.ts';
import { aggregate, matchConditions, run, type Variables, variablesOf } from './policy-variables.ts';

const GROUP = 'admissionregistration.k8s.io';
const POLICIES = `${GROUP}/validatingadmissionpolicies`;
const BINDINGS = `${GROUP}/validatingadmissionpolicybindings`;
const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

interface Decision {
  readonly message: string;
  readonly reason: string;
}

/**
 * ValidatingAdmissionPolicies, as far as they have no parameters: each policy with each of its bindings, in the order
 * of their names (`plugin/policy/validating/dispatcher.go`).
 */
export function validatingPolicies(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(attributes) {
      // Policies say nothing of policies, so that nobody locks themselves out.
      if (attributes.resource.definition.group === GROUP) return;
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
          judge(policy.name, spec, binding.name, bound, attributes, variablesOf(store, attributes));
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
  spec: Json,
  bindingName: string,
  binding: Json,
  attributes: AdmissionAttributes,
  base: Variables,
): void {
  const decisions = decide(spec, base);
  const actions = Array.isArray(binding.validationActions) ? binding.validationActions : [];
  const place = `ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}'`;
  if (actions.includes('Warn'))
    for (const { message } of decisions) attributes.warnings.push(`Validation failed for ${place}: ${message}`);
  const [first] = decisions;
  if (!actions.includes('Deny') || first === undefined) return;
  const message = `${place} denied request: ${first.message}`;
  const refusal = forbiddenBy(attributes.resource, attributes.object, message);
  throw new StatusError({
    ...refusal.status,
    reason: first.reason,
    code: CODES[first.reason] ?? 422,
    details: { ...refusal.status.details, causes: [{ message }] },
  });
}

/** What a policy has against a write; nothing where its conditions do not hold. */
function decide(spec: Json, base: Variables): Decision[] {
  const isStrict = spec.failurePolicy !== 'Ignore';
  const failed = (source: string, error: string): Decision[] =>
    isStrict ? [{ message: `expression '${source}' resulted in error: ${error}`, reason: 'Invalid' }] : [];
  const { matches, errors } = matchConditions(spec, base);
  if (errors.length > 0) return isStrict ? [{ message: aggregate(errors), reason: 'Invalid' }] : [];
  if (!matches) return [];
  const all = new Map(base);
  const makers = new Map<string, () => CelValue>();
  for (const variable of recordsIn(spec, 'variables'))
    makers.set(String(variable.name), () => {
      const result = run(String(variable.expression ?? ''), all);
      if ('error' in result) throw result.failure;
      return result.value;
    });
  all.set('variables', new LazyValues(makers));
  return recordsIn(spec, 'validations').flatMap((validation) => {
    const source = String(validation.expression ?? '');
    const result = run(source, all);
    if ('error' in result) return failed(source, result.error);
    if (result.value === true) return [];
    return [{ message: messageOf(validation, source, all), reason: String(validation.reason || 'Invalid') }];
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
