import { Backoff, messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { LOCAL_PROVISIONER } from './provisioner.ts';

export const IS_DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** Makes the class `standard`, the default one, as kind does; one that is there is left as it is. */
export async function ensureStandardClass(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const storageClass: StorageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'standard', annotations: { [IS_DEFAULT_CLASS]: 'true' } },
    provisioner: LOCAL_PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      await context.client.create(RESOURCES.storageclasses, storageClass, { signal });
      return;
    } catch (error) {
      if (isStatusError(error, 409) || signal.aborted) return;
      context.logger.debug('the storage class was not made, will be tried again', { error: messageOf(error) });
      await context.clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }
}
