/** Defaults of pod specs (`pkg/apis/core/v1/defaults.go`, `zz_generated.defaults.go`). */

import { recordAt, recordsAt, setDefault, setNumberDefault, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { isRecord } from '../values/json.ts';

/** A whole pod: also what holds for pods but not for templates (requests from limits, service links). */
export function defaultPod(pod: JsonRecord): void {
  const spec = recordAt(pod, 'spec');
  if (spec === undefined) return;
  for (const list of ['containers', 'initContainers'])
    for (const container of recordsAt(spec, list)) requestsFromLimits(recordAt(container, 'resources'));
  const podResources = recordAt(spec, 'resources');
  if (podResources !== undefined) requestsFromLimits(podResources);
  setDefault(spec, 'enableServiceLinks', true);
  defaultPodSpec(spec);
  if (spec.hostNetwork === true) defaultHostNetworkPorts(spec);
}

function requestsFromLimits(resources: JsonRecord | undefined): void {
  const limits = recordAt(resources, 'limits');
  if (resources === undefined || limits === undefined || Object.keys(limits).length === 0) return;
  const requests = isRecord(resources.requests) ? resources.requests : {};
  for (const [name, value] of Object.entries(limits)) if (requests[name] === undefined) requests[name] = value;
  resources.requests = sortedRecord(requests);
}

function sortedRecord(record: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The spec of a pod or of a template. */
export function defaultPodSpec(spec: JsonRecord): void {
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'restartPolicy', 'Always');
  if (spec.hostNetwork === true) defaultHostNetworkPorts(spec);
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'schedulerName', 'default-scheduler');
  defaultServiceAccount(spec);
  for (const volume of recordsAt(spec, 'volumes')) defaultVolume(volume);
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'])
    for (const container of recordsAt(spec, list)) defaultContainer(container);
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are written (`Convert_v1_PodSpec_To_core_PodSpec`). */
function defaultServiceAccount(spec: JsonRecord): void {
  const name = stringAt(spec, 'serviceAccountName') || stringAt(spec, 'serviceAccount');
  if (name === '') return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

function defaultHostNetworkPorts(spec: JsonRecord): void {
  for (const list of ['containers', 'initContainers'])
    for (const container of recordsAt(spec, list))
      for (const port of recordsAt(container, 'ports'))
        if (typeof port.containerPort === 'number' && port.containerPort !== 0)
          setNumberDefault(port, 'hostPort', port.containerPort);
}

function defaultContainer(container: JsonRecord): void {
  setDefault(container, 'imagePullPolicy', pullPolicyOf(stringAt(container, 'image')));
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  for (const port of recordsAt(container, 'ports')) setDefault(port, 'protocol', 'TCP');
  for (const variable of recordsAt(container, 'env')) {
    const source = recordAt(variable, 'valueFrom');
    defaultFieldRef(source);
    const fileKey = recordAt(source, 'fileKeyRef');
    if (fileKey !== undefined) setDefault(fileKey, 'optional', false);
    const resource = recordAt(source, 'resourceFieldRef');
    if (resource !== undefined) setDefault(resource, 'divisor', '0');
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = recordAt(container, name);
    if (probe !== undefined) defaultProbe(probe);
  }
  const lifecycle = recordAt(container, 'lifecycle');
  for (const name of ['postStart', 'preStop']) defaultHttpGet(recordAt(recordAt(lifecycle, name), 'httpGet'));
}

/** Always for `:latest` and no tag, IfNotPresent for other tags and digests. */
function pullPolicyOf(image: string): string {
  const digest = image.includes('@');
  const name = image.split('@')[0] ?? '';
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  if (digest && tag === undefined) return 'IfNotPresent';
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultFieldRef(source: JsonRecord | undefined): void {
  const fieldRef = recordAt(source, 'fieldRef');
  if (fieldRef !== undefined) setDefault(fieldRef, 'apiVersion', 'v1');
}

function defaultHttpGet(get: JsonRecord | undefined): void {
  if (get === undefined) return;
  setDefault(get, 'path', '/');
  setDefault(get, 'scheme', 'HTTP');
}

function defaultProbe(probe: JsonRecord): void {
  setNumberDefault(probe, 'timeoutSeconds', 1);
  setNumberDefault(probe, 'periodSeconds', 10);
  setNumberDefault(probe, 'successThreshold', 1);
  setNumberDefault(probe, 'failureThreshold', 3);
  defaultHttpGet(recordAt(probe, 'httpGet'));
  const grpc = recordAt(probe, 'grpc');
  if (grpc !== undefined && (grpc.service === undefined || grpc.service === null)) grpc.service = '';
}

const FILE_MODE = 0o644;

function defaultItems(source: JsonRecord): void {
  for (const item of recordsAt(source, 'items')) defaultFieldRef(item);
  for (const item of recordsAt(source, 'items')) {
    const resource = recordAt(item, 'resourceFieldRef');
    if (resource !== undefined) setDefault(resource, 'divisor', '0');
  }
}

/** A volume of a pod; one without a source is an emptyDir. */
export function defaultVolume(volume: JsonRecord): void {
  if (Object.keys(volume).every((key) => key === 'name' || volume[key] === null)) volume.emptyDir = {};
  for (const name of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const source = recordAt(volume, name);
    if (source === undefined) continue;
    setDefault(source, 'defaultMode', FILE_MODE);
    if (name === 'downwardAPI') defaultItems(source);
    for (const part of recordsAt(source, 'sources')) {
      const downward = recordAt(part, 'downwardAPI');
      if (downward !== undefined) defaultItems(downward);
      const token = recordAt(part, 'serviceAccountToken');
      if (token !== undefined) setDefault(token, 'expirationSeconds', 3600);
    }
  }
  const hostPath = recordAt(volume, 'hostPath');
  if (hostPath !== undefined && (hostPath.type === undefined || hostPath.type === null)) hostPath.type = '';
  const claim = recordAt(recordAt(recordAt(volume, 'ephemeral'), 'volumeClaimTemplate'), 'spec');
  if (claim !== undefined) setDefault(claim, 'volumeMode', 'Filesystem');
  defaultVolumeSource(volume);
}

/** Sources that pods and persistent volumes share. */
export function defaultVolumeSource(source: JsonRecord): void {
  const iscsi = recordAt(source, 'iscsi');
  if (iscsi !== undefined) setDefault(iscsi, 'iscsiInterface', 'default');
  const azure = recordAt(source, 'azureDisk');
  if (azure !== undefined) {
    setDefault(azure, 'cachingMode', 'ReadWrite');
    setDefault(azure, 'kind', 'Shared');
    setDefault(azure, 'fsType', 'ext4');
    setDefault(azure, 'readOnly', false);
  }
  const rbd = recordAt(source, 'rbd');
  if (rbd !== undefined) {
    setDefault(rbd, 'pool', 'rbd');
    setDefault(rbd, 'user', 'admin');
    setDefault(rbd, 'keyring', '/etc/ceph/keyring');
  }
  const scaleIo = recordAt(source, 'scaleIO');
  if (scaleIo !== undefined) {
    setDefault(scaleIo, 'storageMode', 'ThinProvisioned');
    setDefault(scaleIo, 'fsType', 'xfs');
  }
}
