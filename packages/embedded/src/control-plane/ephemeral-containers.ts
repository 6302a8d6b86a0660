import type { AdmissionValidator } from '@kind-e2e/apiserver';
import { forbidden } from '@kind-e2e/kube-api';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { NODES } from './nodes.ts';

const NODE_NAMES: ReadonlySet<string> = new Set(NODES.map((node) => node.name));

/**
 * Refuses ephemeral containers for pods on the lab's nodes, so that `kubectl debug` says at once why it does nothing
 * (docs/adr/0007). For a pod that no node of ours runs they are stored, as by any API server.
 */
export const refuseEphemeralContainers: AdmissionValidator = ({ resource, subresource, object, old }) => {
  if (resource.group !== '' || resource.resource !== 'pods' || subresource !== 'ephemeralcontainers') return;
  const { metadata, spec } = object as Pod;
  const { nodeName = '', ephemeralContainers = [] } = spec ?? {};
  const before = old as Pod | undefined;
  if (!NODE_NAMES.has(nodeName) || ephemeralContainers.length <= (before?.spec?.ephemeralContainers?.length ?? 0))
    return;
  const name = metadata?.name ?? '';
  throw forbidden(
    { group: '', resource: 'pods' },
    name,
    `node ${nodeName} of the embedded engine runs no ephemeral containers, which kubectl debug needs: use ` +
      `\`kubectl exec -it ${name} -- sh\`, or debug a copy of the pod with \`kubectl debug ${name} --copy-to=${name}-debug\``,
  );
};
