import type { Clock } from '@kind-e2e/base';
import type { KubeObject } from '@kind-e2e/kube-api';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { recordsIn } from './pod-parts.ts';

const REQUESTS = 'certificates.k8s.io/certificatesigningrequests';

/**
 * A request for a certificate says who made it, and its conditions say since when they hold
 * (registry/certificates `csrStrategy`, `populateConditionTimestamps`).
 */
export function certificateRequests(clock: Clock): AdmissionPlugin {
  return {
    name: 'CertificateSigningRequest',
    mutate({ resource, operation, object, old, user }) {
      if (resource.collection !== REQUESTS) return undefined;
      if (operation === 'CREATE') {
        const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...spec } = sectionOf(object, 'spec');
        const { name: username, uid, groups, extra } = user;
        return {
          ...object,
          spec: {
            ...spec,
            username,
            ...(uid ? { uid } : {}),
            ...(groups.length > 0 ? { groups: [...groups] } : {}),
            ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
          },
        } as KubeObject;
      }
      if (operation === 'UPDATE' && old) setTimes(object, old, timestampOf(clock.now()));
      return undefined;
    },
  };
}

function setTimes(object: KubeObject, old: KubeObject, now: string): void {
  const before = recordsIn(sectionOf(old, 'status'), 'conditions');
  for (const condition of recordsIn(sectionOf(object, 'status'), 'conditions')) {
    condition.lastUpdateTime ??= now;
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status);
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? now;
  }
}
