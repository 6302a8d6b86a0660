import type { Clock } from '@kind-e2e/base';
import { type KubeObject, parseCertificationRequest } from '@kind-e2e/kube-api';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { recordsIn } from './pod-parts.ts';
import { forbiddenBy } from './refusal.ts';

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const ADMINS = 'system:masters';
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
    // Nobody signs administrators (plugin/pkg/admission/certificates/subjectrestriction).
    validate({ resource, operation, object }) {
      if (resource.collection !== REQUESTS || operation !== 'CREATE') return;
      const { signerName, request } = sectionOf(object, 'spec');
      if (signerName !== CLIENT_SIGNER || typeof request !== 'string' || !groupsOf(request).includes(ADMINS)) return;
      throw forbiddenBy(resource, object, `use of ${CLIENT_SIGNER} signer with ${ADMINS} group is not allowed`);
    },
  };
}

/** The groups of whom the certificate would be; none where the request cannot be read, which validation tells. */
function groupsOf(request: string): readonly string[] {
  try {
    return parseCertificationRequest(Buffer.from(request, 'base64').toString('latin1')).organizations;
  } catch {
    return [];
  }
}

function setTimes(object: KubeObject, old: KubeObject, now: string): void {
  const before = recordsIn(sectionOf(old, 'status'), 'conditions');
  for (const condition of recordsIn(sectionOf(object, 'status'), 'conditions')) {
    condition.lastUpdateTime ??= now;
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status);
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? now;
  }
}
