/** `GetWarningsForPersistentVolume` of `pkg/api/persistentvolume/util.go`. */
import { recordAt, recordsAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { nodeTermWarnings } from './node-labels.ts';

const ANNOTATIONS: Readonly<Record<string, string>> = {
  'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
};
const PLUGINS: Readonly<Record<string, string>> = {
  cephfs: 'cephfs: deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'scaleIO: deprecated in v1.16, non-functional in v1.22+',
  storageos: 'storageOS: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'glusterfs: deprecated in v1.25, non-functional in v1.26+',
  rbd: 'rbd: deprecated in v1.28, non-functional in v1.31+',
};

export function volumeWarnings(object: JsonRecord): string[] {
  const spec = recordAt(object, 'spec') ?? {};
  const annotations = stringMapAt(recordAt(object, 'metadata'), 'annotations');
  const terms = recordsAt(recordAt(recordAt(spec, 'nodeAffinity'), 'required'), 'nodeSelectorTerms');
  return [
    ...Object.entries(ANNOTATIONS).flatMap(([key, text]) =>
      Object.hasOwn(annotations, key) ? [`metadata.annotations[${key}]: ${text}`] : [],
    ),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...terms.flatMap((term, index) =>
      nodeTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, false),
    ),
    ...Object.entries(PLUGINS).flatMap(([plugin, text]) => (isRecord(spec[plugin]) ? [`spec.${text}`] : [])),
  ];
}
