import type { KubeObject } from '@kind-e2e/kube-api';
import { randomSuffix } from '../operations/generate-name.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isMirrorPod, isPodCreation, type Json, listIn, recordsIn, specOf } from './pod-parts.ts';
import { forbiddenBy } from './refusal.ts';

const DEFAULT_ACCOUNT = 'default';
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** An hour and a little: kubelets renew at 80 % of it (`WarnOnlyBoundTokenExpirationSeconds`). */
const TOKEN_SECONDS = 3_607;

/** Every pod runs as a service account and gets its token as a projected volume (plugin/serviceaccount). */
export function serviceAccountAdmission(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate(attributes) {
      const { object: pod, resource } = attributes;
      if (!isPodCreation(attributes) || isMirrorPod(pod)) return undefined;
      const spec = specOf(pod);
      if (typeof spec.serviceAccountName !== 'string' || spec.serviceAccountName === '')
        spec.serviceAccountName = DEFAULT_ACCOUNT;
      spec.serviceAccount = spec.serviceAccountName;
      const namespace = pod.metadata?.namespace ?? '';
      const name = String(spec.serviceAccountName);
      const account = store.collection('serviceaccounts').get(namespace, name);
      if (!account)
        throw forbiddenBy(
          resource,
          pod,
          `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
        );
      if (mountsToken(spec, account.object)) mountToken(spec);
      const { imagePullSecrets } = account.object as Json;
      if (
        recordsIn(spec, 'imagePullSecrets').length === 0 &&
        Array.isArray(imagePullSecrets) &&
        imagePullSecrets.length > 0
      )
        spec.imagePullSecrets = structuredClone(imagePullSecrets);
      return undefined;
    },
  };
}

function mountsToken(spec: Json, account: KubeObject): boolean {
  if (typeof spec.automountServiceAccountToken === 'boolean') return spec.automountServiceAccountToken;
  const { automountServiceAccountToken } = account as Json;
  return automountServiceAccountToken !== false;
}

function mountToken(spec: Json): void {
  const known = recordsIn(spec, 'volumes').find(
    ({ name }) => typeof name === 'string' && name.startsWith(VOLUME_PREFIX),
  );
  const volume = typeof known?.name === 'string' ? known.name : `${VOLUME_PREFIX}${randomSuffix(5)}`;
  let isNeeded = false;
  for (const list of ['initContainers', 'containers'])
    for (const container of recordsIn(spec, list)) {
      if (recordsIn(container, 'volumeMounts').some(({ mountPath }) => mountPath === TOKEN_PATH)) continue;
      listIn(container, 'volumeMounts').push({ name: volume, readOnly: true, mountPath: TOKEN_PATH });
      isNeeded = true;
    }
  if (isNeeded && !known) listIn(spec, 'volumes').push(tokenVolume(volume));
}

function tokenVolume(name: string): Json {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}
