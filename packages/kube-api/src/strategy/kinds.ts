/** Longer preparations of single kinds. */
import { ensureRecord, recordAt, recordsAt, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';

const CONTROLLER_UID = 'controller-uid';
const JOB_NAME = 'job-name';
const PREFIX = 'batch.kubernetes.io/';

/** Labels and selector of a job that does not choose them itself (`generateSelector` of `pkg/registry/batch/job`). */
export function prepareJob(object: JsonRecord): void {
  const spec = recordAt(object, 'spec');
  if (spec === undefined || spec.manualSelector === true) return;
  const metadata = ensureRecord(object, 'metadata');
  const uid = stringAt(metadata, 'uid');
  const labels: JsonRecord = {
    [`${PREFIX}${CONTROLLER_UID}`]: uid,
    [`${PREFIX}${JOB_NAME}`]: stringAt(metadata, 'name'),
    [CONTROLLER_UID]: uid,
    [JOB_NAME]: stringAt(metadata, 'name'),
  };
  const template = ensureRecord(spec, 'template');
  const templateMetadata = ensureRecord(template, 'metadata');
  templateMetadata.labels = { ...(recordAt(templateMetadata, 'labels') ?? {}), ...labels };
  // The object shares its template's labels where it has none of its own.
  const own = recordAt(metadata, 'labels');
  if (own === undefined || Object.keys(own).length === 0) metadata.labels = { ...labels };
  if (!isRecord(spec.selector)) spec.selector = {};
  const selector = ensureRecord(spec, 'selector');
  selector.matchLabels = { ...(recordAt(selector, 'matchLabels') ?? {}), [`${PREFIX}${CONTROLLER_UID}`]: uid };
}

/** Fields that an update leaves out keep the values the server gave them (`patchAllocatedValues`, `defaultOnRead`). */
export function prepareServiceUpdate(object: JsonRecord, old: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const before = recordAt(old, 'spec') ?? {};
  const type = stringAt(spec, 'type');
  const oldType = stringAt(before, 'type');
  const needsIp = (kind: string): boolean => kind === 'ClusterIP' || kind === 'NodePort' || kind === 'LoadBalancer';
  const needsNodePort = (kind: string): boolean => kind === 'NodePort' || kind === 'LoadBalancer';
  if (needsIp(type) && needsIp(oldType)) {
    if (stringAt(spec, 'clusterIP') === '' && isEmptyList(spec.clusterIPs)) {
      if (before.clusterIP !== undefined) spec.clusterIP = before.clusterIP;
      if (Array.isArray(before.clusterIPs)) spec.clusterIPs = [...before.clusterIPs];
    } else if (isEmptyList(spec.clusterIPs) && Array.isArray(before.clusterIPs) && spec.clusterIP === before.clusterIP)
      spec.clusterIPs = [...before.clusterIPs];
    else if (
      Array.isArray(spec.clusterIPs) &&
      stringAt(spec, 'clusterIP') !== '' &&
      spec.clusterIP !== before.clusterIP &&
      sameList(spec.clusterIPs, before.clusterIPs)
    )
      spec.clusterIPs = [spec.clusterIP];
    if (stringAt(spec, 'ipFamilyPolicy') === '' && before.ipFamilyPolicy !== undefined)
      spec.ipFamilyPolicy = before.ipFamilyPolicy;
    if (isEmptyList(spec.ipFamilies) && Array.isArray(before.ipFamilies)) spec.ipFamilies = [...before.ipFamilies];
  }
  if (needsNodePort(type) && needsNodePort(oldType)) {
    const known = new Map(recordsAt(before, 'ports').map((port) => [portKey(port), port.nodePort]));
    const taken = new Set(
      recordsAt(spec, 'ports')
        .map((port) => port.nodePort)
        .filter(Boolean),
    );
    for (const port of recordsAt(spec, 'ports')) {
      if (typeof port.nodePort === 'number' && port.nodePort !== 0) continue;
      const kept = known.get(portKey(port));
      if (typeof kept === 'number' && kept !== 0 && !taken.has(kept)) port.nodePort = kept;
    }
  }
  if (type === 'LoadBalancer' && oldType === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local')
    if ((spec.healthCheckNodePort ?? 0) === 0 && before.healthCheckNodePort !== undefined)
      spec.healthCheckNodePort = before.healthCheckNodePort;
  if (type === 'ExternalName' && oldType !== 'ExternalName') {
    for (const name of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'])
      if (sameValue(spec[name], before[name])) delete spec[name];
    for (const port of recordsAt(spec, 'ports')) delete port.nodePort;
  }
  if (oldType !== type && !needsNodePort(type)) {
    if (spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy;
    const oldPorts = new Set(recordsAt(before, 'ports').map((port) => port.nodePort));
    for (const port of recordsAt(spec, 'ports')) if (oldPorts.has(port.nodePort)) delete port.nodePort;
  }
  if (type !== 'LoadBalancer' && oldType === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    delete spec.healthCheckNodePort;
  }
}

function portKey(port: JsonRecord): string {
  return `${stringAt(port, 'protocol')}/${port.port}`;
}

function isEmptyList(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

function sameList(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function sameValue(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}
