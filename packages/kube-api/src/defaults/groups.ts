/** Defaults of the small groups: autoscaling, networking, policy, rbac, storage and the rest (`pkg/apis/<group>/<version>/defaults.go`). */

import { ensureRecord, recordAt, recordsAt, setDefault, setNumberDefault, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { defaultVolumeSource } from './pod.ts';

/** autoscaling/v1. */
export function defaultOldAutoscaler(object: JsonRecord): void {
  setDefault(ensureRecord(object, 'spec'), 'minReplicas', 1);
}

/** autoscaling/v2. */
export function defaultAutoscaler(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'minReplicas', 1);
  if (recordsAt(spec, 'metrics').length === 0)
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ];
  const behavior = recordAt(spec, 'behavior');
  if (behavior !== undefined) {
    behavior.scaleUp = scalingRules(recordAt(behavior, 'scaleUp'), 0, [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ]);
    behavior.scaleDown = scalingRules(recordAt(behavior, 'scaleDown'), undefined, [
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ]);
  }
}

function scalingRules(own: JsonRecord | undefined, windowSeconds: number | undefined, policies: unknown[]): JsonRecord {
  const out: JsonRecord = {};
  if (windowSeconds !== undefined) out.stabilizationWindowSeconds = windowSeconds;
  out.selectPolicy = 'Max';
  out.policies = policies;
  for (const [name, value] of Object.entries(own ?? {})) if (value !== null && value !== undefined) out[name] = value;
  return out;
}

export function defaultNetworkPolicy(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  for (const direction of ['ingress', 'egress'])
    for (const rule of recordsAt(spec, direction))
      for (const port of recordsAt(rule, 'ports')) setDefault(port, 'protocol', 'TCP');
  if (!Array.isArray(spec.policyTypes) || spec.policyTypes.length === 0)
    spec.policyTypes = recordsAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

export function defaultIngressClass(object: JsonRecord): void {
  const parameters = recordAt(recordAt(object, 'spec'), 'parameters');
  if (parameters !== undefined) setDefault(parameters, 'scope', 'Cluster');
}

/** discovery.k8s.io: every port has a name, maybe the empty one. */
export function defaultEndpointSlice(object: JsonRecord): void {
  for (const port of recordsAt(object, 'ports')) {
    if (port.name === undefined || port.name === null) port.name = '';
    setDefault(port, 'protocol', 'TCP');
  }
}

const RBAC = 'rbac.authorization.k8s.io';

export function defaultRoleBinding(object: JsonRecord): void {
  const roleRef = recordAt(object, 'roleRef');
  if (roleRef !== undefined) setDefault(roleRef, 'apiGroup', RBAC);
  for (const subject of recordsAt(object, 'subjects'))
    if (subject.kind === 'User' || subject.kind === 'Group') setDefault(subject, 'apiGroup', RBAC);
}

export function defaultStorageClass(object: JsonRecord): void {
  setDefault(object, 'reclaimPolicy', 'Delete');
  setDefault(object, 'volumeBindingMode', 'Immediate');
}

export function defaultCsiDriver(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'attachRequired', true);
  setDefault(spec, 'podInfoOnMount', false);
  setDefault(spec, 'storageCapacity', false);
  setDefault(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
  if (!Array.isArray(spec.volumeLifecycleModes) || spec.volumeLifecycleModes.length === 0)
    spec.volumeLifecycleModes = ['Persistent'];
  setDefault(spec, 'requiresRepublish', false);
  setDefault(spec, 'seLinuxMount', false);
}

export function defaultVolumeAttachment(object: JsonRecord): void {
  const inline = recordAt(recordAt(recordAt(object, 'spec'), 'source'), 'inlineVolumeSpec');
  if (inline !== undefined) defaultVolumeSource(inline);
}

export function defaultPriorityClass(object: JsonRecord): void {
  setDefault(object, 'preemptionPolicy', 'PreemptLowerPriority');
}

export function defaultCertificateRequest(object: JsonRecord): void {
  for (const condition of recordsAt(recordAt(object, 'status'), 'conditions')) setDefault(condition, 'status', 'True');
}

export function defaultTokenRequest(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'expirationSeconds', 3600);
}

/** Names, conversion and port of webhooks (`pkg/apis/apiextensions/v1/defaults.go`). */
export function defaultCustomResourceDefinition(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const names = ensureRecord(spec, 'names');
  setDefault(names, 'singular', stringAt(names, 'kind').toLowerCase());
  if (stringAt(names, 'listKind') === '' && stringAt(names, 'kind') !== '')
    names.listKind = `${stringAt(names, 'kind')}List`;
  const conversion = ensureRecord(spec, 'conversion');
  setDefault(conversion, 'strategy', 'None');
  const service = recordAt(recordAt(recordAt(conversion, 'webhook'), 'clientConfig'), 'service');
  if (service !== undefined) setDefault(service, 'port', 443);
}

export function defaultApiService(object: JsonRecord): void {
  const service = recordAt(recordAt(object, 'spec'), 'service');
  if (service !== undefined) setDefault(service, 'port', 443);
}

/** Webhook configurations; `mutating` ones also say when they are called again. */
export function defaultWebhooks(object: JsonRecord, mutating: boolean): void {
  for (const webhook of recordsAt(object, 'webhooks')) {
    setDefault(webhook, 'failurePolicy', 'Fail');
    setDefault(webhook, 'matchPolicy', 'Equivalent');
    setDefault(webhook, 'namespaceSelector', {});
    setDefault(webhook, 'objectSelector', {});
    setDefault(webhook, 'timeoutSeconds', 10);
    if (mutating) setDefault(webhook, 'reinvocationPolicy', 'Never');
    for (const rule of recordsAt(webhook, 'rules')) setDefault(rule, 'scope', '*');
    const service = recordAt(recordAt(webhook, 'clientConfig'), 'service');
    if (service !== undefined) setDefault(service, 'port', 443);
  }
}

export function defaultAdmissionPolicy(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'failurePolicy', 'Fail');
  const constraints = recordAt(spec, 'matchConstraints');
  if (constraints !== undefined) defaultMatchResources(constraints);
}

export function defaultAdmissionPolicyBinding(object: JsonRecord): void {
  const match = recordAt(recordAt(object, 'spec'), 'matchResources');
  if (match !== undefined) defaultMatchResources(match);
}

function defaultMatchResources(match: JsonRecord): void {
  setDefault(match, 'matchPolicy', 'Equivalent');
  setDefault(match, 'namespaceSelector', {});
  setDefault(match, 'objectSelector', {});
  for (const list of ['resourceRules', 'excludeResourceRules'])
    for (const rule of recordsAt(match, list)) setDefault(rule, 'scope', '*');
}

export function defaultFlowSchema(object: JsonRecord): void {
  setNumberDefault(ensureRecord(object, 'spec'), 'matchingPrecedence', 1000);
}

export function defaultPriorityLevel(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const exempt = recordAt(spec, 'exempt');
  if (exempt !== undefined) {
    setDefault(exempt, 'nominalConcurrencyShares', 0);
    setDefault(exempt, 'lendablePercent', 0);
  }
  const limited = recordAt(spec, 'limited');
  if (!isRecord(limited)) return;
  setDefault(limited, 'nominalConcurrencyShares', 30);
  setDefault(limited, 'lendablePercent', 0);
  const response = recordAt(limited, 'limitResponse');
  const queuing = recordAt(response, 'queuing');
  if (queuing !== undefined) {
    setNumberDefault(queuing, 'queues', 64);
    setNumberDefault(queuing, 'handSize', 8);
    setNumberDefault(queuing, 'queueLengthLimit', 50);
  }
}
