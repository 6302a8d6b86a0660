import { type KubeObject, type Status, StatusError } from '@kind-e2e/kube-api';
import { notEnforced } from '../analysis/unsupported.ts';
import type { InjectionRequest } from '../inject/sidecar-injector.ts';
import type { IstioObject } from '../world/objects.ts';
import {
  validateDestinationRule,
  validateGateway,
  validateServiceEntry,
  validateSidecar,
  validateWorkloadEntry,
} from './networking.ts';
import { validateAuthorizationPolicy, validatePeerAuthentication, validateRequestAuthentication } from './security.ts';
import { validateVirtualService } from './virtual-service.ts';

type Validate = (spec: never, name: string, namespace: string) => string[];

const VALIDATORS: Readonly<Record<string, Validate>> = {
  VirtualService: (spec, _name, namespace) => validateVirtualService(spec, namespace),
  Gateway: (spec, name) => validateGateway(spec, name),
  DestinationRule: (spec, _name, namespace) => validateDestinationRule(spec, namespace),
  ServiceEntry: (spec, _name, namespace) => validateServiceEntry(spec, namespace),
  WorkloadEntry: (spec) => validateWorkloadEntry(spec),
  Sidecar: (spec) => validateSidecar(spec),
  AuthorizationPolicy: validateAuthorizationPolicy,
  PeerAuthentication: (spec) => validatePeerAuthentication(spec),
  RequestAuthentication: (spec) => validateRequestAuthentication(spec),
};

/** What Istio's webhook would say about an object; nothing where it is valid or of another kind. */
export function validateIstioObject(object: IstioObject<unknown>): string[] {
  const validate = VALIDATORS[object.kind ?? ''];
  if (validate === undefined) return [];
  const { name = '', namespace = 'default' } = object.metadata ?? {};
  return validate((object.spec ?? {}) as never, name, namespace);
}

/** One problem as it is; several as Go's multierror prints them. */
export function formatProblems(problems: readonly string[]): string {
  if (problems.length === 1) return problems[0] as string;
  return `${problems.length} errors occurred:\n${problems.map((problem) => `\t* ${problem}\n`).join('')}\n`;
}

/**
 * Istio's validating webhook as a function for the API server's chain: throws for an invalid object, warns of what this
 * mesh does not enforce, changes nothing.
 */
export function istioValidator(
  request: Pick<InjectionRequest, 'resource' | 'operation' | 'object'> & { readonly warn?: (text: string) => void },
): KubeObject | undefined {
  if (!request.resource.group.endsWith('.istio.io')) return undefined;
  const { kind, spec } = request.object as IstioObject<unknown>;
  for (const { text } of notEnforced(kind ?? '', spec)) request.warn?.(text);
  const problems = validateIstioObject(request.object as IstioObject<unknown>);
  if (problems.length === 0) return undefined;
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `admission webhook "validation.istio.io" denied the request: configuration is invalid: ${formatProblems(problems)}`,
    reason: 'BadRequest',
    code: 400,
  };
  throw new StatusError(status);
}
