/** Objects of other kinds that are refused, by their specs (the validation.go of their groups). */
import { APPS, BATCH, CORE, type Json, job, of, type RefusedRequest, service, template } from './refused-requests.ts';

const AUTOSCALING = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const STORAGE = '/apis/storage.k8s.io/v1';

function refused(path: string, body: Json, kind: string, ...problems: readonly string[]): RefusedRequest {
  const { name } = body.metadata as { name: string };
  return {
    name: `${kind} ${JSON.stringify({ ...body, apiVersion: undefined, kind: undefined, metadata: undefined }).slice(0, 100)}`,
    path,
    body,
    says: `${kind} "${name}" is invalid: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`,
  };
}

const autoscaler = (spec: Json): Json =>
  of('autoscaling/v2', 'HorizontalPodAutoscaler', 'h', {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3, ...spec },
  });
const metric = (...metrics: readonly Json[]): Json => autoscaler({ metrics });
const cron = (spec: Json): Json =>
  of('batch/v1', 'CronJob', 'c', {
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: template({}, { restartPolicy: 'Never' }) } },
      ...spec,
    },
  });
const quota = (spec: Json): Json => of('v1', 'ResourceQuota', 'q', { spec });
const limits = (...items: readonly Json[]): Json => of('v1', 'LimitRange', 'l', { spec: { limits: items } });
const claim = (spec: Json): Json =>
  of('v1', 'PersistentVolumeClaim', 'c', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
const volume = (spec: Json): Json =>
  of('v1', 'PersistentVolume', 'v', {
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
  });
const HPA = 'HorizontalPodAutoscaler.autoscaling';
const source = { apiGroup: null, kind: 'PersistentVolumeClaim', name: 'a' };

export const SPEC_CASES: readonly RefusedRequest[] = [
  refused(
    `${CORE}/services`,
    service({ ports: [{ port: 80 }], clusterIP: 'abc' }),
    'Service',
    'spec.clusterIPs[0]: Invalid value: "abc": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ),
  refused(
    `${CORE}/services`,
    service({ ports: [{ port: 80 }], ipFamilyPolicy: 'X' }),
    'Service',
    'spec.ipFamilyPolicy: Unsupported value: "X": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
  ),
  refused(
    `${BATCH}/jobs`,
    job({ podReplacementPolicy: 'TerminatingOrFailed', podFailurePolicy: { rules: [] } }),
    'Job.batch',
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ),
  refused(
    `${BATCH}/cronjobs`,
    cron({ timeZone: 'Local' }),
    'CronJob.batch',
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ),
  refused(
    `${BATCH}/cronjobs`,
    cron({
      jobTemplate: { spec: { selector: {}, manualSelector: true, template: template({}, { restartPolicy: 'Never' }) } },
    }),
    'CronJob.batch',
    'spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated',
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
  ),
  refused(
    AUTOSCALING,
    metric({ type: 'X' }),
    HPA,
    'spec.metrics[0].type: Unsupported value: "X": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
  ),
  refused(
    AUTOSCALING,
    metric({
      type: 'External',
      external: { metric: { name: 'q' }, target: { type: 'Value', value: '1', averageValue: '1' } },
    }),
    HPA,
    'spec.metrics[0].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
  ),
  refused(
    AUTOSCALING,
    metric({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '0', averageUtilization: 3 } },
    }),
    HPA,
    'spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive',
    'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
  ),
  refused(
    `${CORE}/resourcequotas`,
    quota({ hard: { cpu: '1', 'requests.foo': '1' }, scopes: ['BestEffort', 'NotBestEffort', 'Odd'] }),
    'ResourceQuota',
    'spec.hard[requests.foo]: Invalid value: "requests.foo": must be a standard resource type or fully qualified',
    'spec.hard[requests.foo]: Invalid value: "requests.foo": must be a standard resource for quota',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: unsupported scope applied to resource',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: unsupported scope',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: conflicting scopes',
  ),
  refused(
    `${CORE}/limitranges`,
    limits(
      { type: 'Odd', max: { foo: '1' } },
      { type: 'Container', max: { cpu: '1' }, min: { cpu: '500m' }, maxLimitRequestRatio: { cpu: '3' } },
    ),
    'LimitRange',
    'spec.limits[0].type: Invalid value: "Odd": must be a standard limit type or fully qualified',
    'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
    'spec.limits[1].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
  ),
  refused(
    `${CORE}/persistentvolumeclaims`,
    claim({ dataSource: { kind: 'Odd', name: '' } }),
    'PersistentVolumeClaim',
    'spec.dataSource.name: Required value',
    `spec.dataSource: Invalid value: "Odd": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
    'spec.dataSourceRef.name: Required value',
    `spec.dataSourceRef: Invalid value: "Odd": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
  ),
  refused(
    `${CORE}/persistentvolumeclaims`,
    claim({ dataSource: source, dataSourceRef: { ...source, name: 'b' } }),
    'PersistentVolumeClaim',
    'spec: Invalid value: {}: must match dataSourceRef',
  ),
  refused(
    '/api/v1/persistentvolumes',
    volume({ capacity: {} }),
    'PersistentVolume',
    'spec.capacity: Required value',
    'spec.capacity: Unsupported value: null: supported values: "storage"',
    'spec: Required value: must specify a volume type',
  ),
  refused(
    '/api/v1/persistentvolumes',
    volume({ csi: { driver: 'd.example', nodePublishSecretRef: { name: 'a' } } }),
    'PersistentVolume',
    'spec.csi.volumeHandle: Required value',
    'spec.csi.nodePublishSecretRef.namespace: Required value',
  ),
  refused(
    '/api/v1/persistentvolumes',
    volume({ hostPath: { path: '/a' }, volumeAttributesClassName: 'c' }),
    'PersistentVolume',
    'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
  ),
  refused(
    `${STORAGE}/csidrivers`,
    of('storage.k8s.io/v1', 'CSIDriver', 'd', { spec: { fsGroupPolicy: 'X', volumeLifecycleModes: ['Y'] } }),
    'CSIDriver.storage.k8s.io',
    'spec.fsGroupPolicy: Unsupported value: "X": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    'spec.volumeLifecycleModes: Unsupported value: "Y": supported values: "Persistent", "Ephemeral"',
  ),
  refused(
    `${STORAGE}/volumeattributesclasses`,
    of('storage.k8s.io/v1', 'VolumeAttributesClass', 'c', { driverName: 'd' }),
    'VolumeAttributesClass.storage.k8s.io',
    'parameters: Required value: must contain at least one key/value pair',
  ),
  refused(
    `${STORAGE}/volumeattachments`,
    of('storage.k8s.io/v1', 'VolumeAttachment', 'a', { spec: { attacher: 'd', nodeName: 'n', source: {} } }),
    'VolumeAttachment.storage.k8s.io',
    'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
  ),
  refused(
    `${STORAGE}/csinodes`,
    of('storage.k8s.io/v1', 'CSINode', 'n', {
      spec: {
        drivers: [
          { name: 'd', nodeID: '' },
          { name: 'd', nodeID: 'x' },
        ],
      },
    }),
    'CSINode.storage.k8s.io',
    'spec.drivers[0].nodeID: Required value',
    'spec.drivers[1].name: Duplicate value: "d"',
  ),
  refused(
    '/apis/coordination.k8s.io/v1/namespaces/default/leases',
    of('coordination.k8s.io/v1', 'Lease', 'l', { spec: { preferredHolder: 'me' } }),
    'Lease.coordination.k8s.io',
    'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
  ),
  refused(
    `${APPS}/deployments`,
    of('apps/v1', 'Deployment', 'd', {
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: template(
          { a: 'b' },
          { hostNetwork: true, containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 1, hostPort: 2 }] }] },
        ),
      },
    }),
    'Deployment.apps',
    'spec.template.spec.containers[0].ports[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true',
  ),
];
