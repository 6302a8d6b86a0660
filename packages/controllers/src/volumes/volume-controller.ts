import { Disposer, messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { createController, ignoreNotFound, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeStatus } from 'kubernetes-types/core/v1.d.ts';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { findMatchingVolume, isReservedFor } from './matching.ts';
import { releaseFinalizer, startClaimProtection } from './protection.ts';
import { deleteLocalVolume, LOCAL_PROVISIONER, PROVISIONED_BY, provisionLocalVolume } from './provisioner.ts';
import { ensureStandardClass, IS_DEFAULT_CLASS } from './standard-class.ts';

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
const PV_PROTECTION = 'kubernetes.io/pv-protection';

/**
 * Binds claims to volumes, makes local ones for the class `standard`, reclaims what is released, and keeps claims and
 * volumes in use from being deleted (upstream pkg/controller/volume: persistentvolume, pvcprotection, pvprotection).
 */
export function startVolumeController(context: ControllerContext, directory: string | undefined): AsyncDisposable {
  const { client, clock, informers } = context;
  const claims = informers.of('persistentvolumeclaims');
  const volumes = informers.of('persistentvolumes');
  const classes = informers.of('storageclasses');
  const pods = informers.of('pods');
  const recorder = context.recorder('persistentvolume-controller');
  const disposer = new Disposer();

  async function setClaimPhase(
    claim: PersistentVolumeClaim,
    phase: string,
    volume: PersistentVolume | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const status = {
      ...claim.status,
      phase,
      ...(phase === 'Bound' && volume
        ? { accessModes: volume.spec?.accessModes ?? [], capacity: volume.spec?.capacity ?? {} }
        : {}),
    };
    if (isSameJson(status, claim.status)) return;
    await client.update<PersistentVolumeClaim>(
      RESOURCES.persistentvolumeclaims,
      { ...claim, status },
      { subresource: 'status', signal },
    );
  }

  async function setVolumePhase(
    volume: PersistentVolume,
    phase: string,
    signal: AbortSignal,
    message?: string,
  ): Promise<void> {
    const status: PersistentVolumeStatus = { ...volume.status, phase, ...(message ? { message } : {}) };
    if (isSameJson(status, volume.status)) return;
    await client.update<PersistentVolume>(
      RESOURCES.persistentvolumes,
      { ...volume, status },
      { subresource: 'status', signal },
    );
  }

  /** Writes both halves of the bond: the volume's claimRef, then the claim's volumeName. */
  async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { name = '', namespace = '', uid = '' } = claim.metadata ?? {};
    let bound = volume;
    if (volume.spec?.claimRef?.uid !== uid)
      bound = await client.update<PersistentVolume>(
        RESOURCES.persistentvolumes,
        {
          ...volume,
          metadata: {
            ...volume.metadata,
            annotations: {
              ...volume.metadata?.annotations,
              ...(volume.spec?.claimRef ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }),
            },
          },
          spec: {
            ...volume.spec,
            claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
          },
        },
        { signal },
      );
    await setVolumePhase(bound, 'Bound', signal);
    let own = claim;
    if (claim.spec?.volumeName !== volume.metadata?.name || !claim.metadata?.annotations?.[BIND_COMPLETED])
      own = await client.update<PersistentVolumeClaim>(
        RESOURCES.persistentvolumeclaims,
        {
          ...claim,
          metadata: {
            ...claim.metadata,
            annotations: {
              ...claim.metadata?.annotations,
              [BIND_COMPLETED]: 'yes',
              ...(claim.spec?.volumeName ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }),
            },
          },
          ...(claim.spec && volume.metadata?.name ? { spec: { ...claim.spec, volumeName: volume.metadata.name } } : {}),
        },
        { signal },
      );
    await setClaimPhase(own, 'Bound', bound, signal);
  }

  async function syncClaim(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const { volumeName } = claim.spec ?? {};
    if (volumeName) {
      const volume = volumes.get(volumeName);
      const isBound = claim.metadata?.annotations?.[BIND_COMPLETED] !== undefined;
      if (!volume) {
        if (isBound && (await isVolumeGone(volumeName, signal))) {
          await setClaimPhase(claim, 'Lost', undefined, signal);
          const message = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!';
          if (claim.status?.phase !== 'Lost') recorder.event(claim, 'Warning', 'ClaimLost', message);
        } else if (!isBound) await setClaimPhase(claim, 'Pending', undefined, signal);
        return;
      }
      if (!volume.spec?.claimRef || isReservedFor(volume, claim)) await bind(claim, volume, signal);
      else if (isBound) {
        await setClaimPhase(claim, 'Lost', undefined, signal);
        const message = 'Two claims are bound to the same volume, this one is bound incorrectly';
        recorder.event(claim, 'Warning', 'ClaimMisbound', message);
      } else await setClaimPhase(claim, 'Pending', undefined, signal);
      return;
    }
    await findVolume(claim, signal);
  }

  async function isVolumeGone(name: string, signal: AbortSignal): Promise<boolean> {
    return (await ignoreNotFound(client.get(RESOURCES.persistentvolumes, name, undefined, signal))) === undefined;
  }

  /** A claim without a volume: binds one that fits, makes one, or says what it waits for. */
  async function findVolume(given: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const claim = await withDefaultClass(given, signal);
    const className = claim.spec?.storageClassName ?? '';
    const storageClass = classes.get(className);
    const selectedNode = claim.metadata?.annotations?.[SELECTED_NODE];
    const reserved = volumes.list().find((volume) => isReservedFor(volume, claim));
    const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && selectedNode === undefined;
    if (waits && !reserved) {
      const user = pods.byIndex('claim', keyOf(claim))[0];
      if (user)
        recorder.event(
          claim,
          'Normal',
          'WaitForPodScheduled',
          `waiting for pod ${user.metadata?.name} to be scheduled`,
        );
      else
        recorder.event(
          claim,
          'Normal',
          'WaitForFirstConsumer',
          'waiting for first consumer to be created before binding',
        );
      await setClaimPhase(claim, 'Pending', undefined, signal);
      return;
    }
    const allowed =
      selectedNode === undefined ? volumes.list() : volumes.list().filter((v) => isOnNode(v, selectedNode));
    const volume = reserved ?? findMatchingVolume(claim, allowed);
    if (volume) {
      await bind(claim, volume, signal);
      return;
    }
    await setClaimPhase(claim, 'Pending', undefined, signal);
    if (className === '') {
      const message = 'no persistent volumes available for this claim and no storage class is set';
      recorder.event(claim, 'Normal', 'FailedBinding', message);
    } else if (!storageClass)
      recorder.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
    else await provision(claim, storageClass, selectedNode, signal);
  }

  /** A claim that names no class gets the default one, also when that comes later than the claim. */
  async function withDefaultClass(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<PersistentVolumeClaim> {
    if (claim.spec?.storageClassName !== undefined || !claim.spec) return claim;
    const standard = classes.list().find((entry) => entry.metadata?.annotations?.[IS_DEFAULT_CLASS] === 'true');
    if (!standard?.metadata?.name) return claim;
    return await client.update<PersistentVolumeClaim>(
      RESOURCES.persistentvolumeclaims,
      { ...claim, spec: { ...claim.spec, storageClassName: standard.metadata.name } },
      { signal },
    );
  }

  async function provision(
    claim: PersistentVolumeClaim,
    storageClass: StorageClass,
    nodeName: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { provisioner } = storageClass;
    if (provisioner === 'kubernetes.io/no-provisioner') return;
    const annotated = await annotateProvisioner(claim, provisioner, signal);
    if (provisioner !== LOCAL_PROVISIONER || directory === undefined) {
      recorder.event(
        claim,
        'Normal',
        'ExternalProvisioning',
        `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
      );
      return;
    }
    const own = context.recorder(LOCAL_PROVISIONER);
    if (claim.spec?.volumeMode === 'Block') {
      own.event(
        claim,
        'Warning',
        'ProvisioningFailed',
        `failed to provision volume with StorageClass "${storageClass.metadata?.name}": block volume provisioning is not supported`,
      );
      return;
    }
    own.event(
      claim,
      'Normal',
      'Provisioning',
      `External provisioner is provisioning volume for claim "${keyOf(claim)}"`,
    );
    try {
      const draft = await provisionLocalVolume(directory, annotated, storageClass, nodeName);
      let volume: PersistentVolume;
      try {
        volume = await client.create<PersistentVolume>(RESOURCES.persistentvolumes, draft, { signal });
      } catch (error) {
        if (!isStatusError(error, 409)) throw error;
        volume = await client.get<PersistentVolume>(
          RESOURCES.persistentvolumes,
          draft.metadata?.name ?? '',
          undefined,
          signal,
        );
      }
      own.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata?.name}`);
      await bind(annotated, volume, signal);
    } catch (error) {
      if (!isStatusError(error))
        own.event(
          claim,
          'Warning',
          'ProvisioningFailed',
          `failed to provision volume with StorageClass "${storageClass.metadata?.name}": ${messageOf(error)}`,
        );
      throw error;
    }
  }

  async function annotateProvisioner(
    claim: PersistentVolumeClaim,
    provisioner: string,
    signal: AbortSignal,
  ): Promise<PersistentVolumeClaim> {
    if (claim.metadata?.annotations?.[STORAGE_PROVISIONER] === provisioner) return claim;
    return await client.update<PersistentVolumeClaim>(
      RESOURCES.persistentvolumeclaims,
      {
        ...claim,
        metadata: {
          ...claim.metadata,
          annotations: {
            ...claim.metadata?.annotations,
            [BETA_STORAGE_PROVISIONER]: provisioner,
            [STORAGE_PROVISIONER]: provisioner,
          },
        },
      },
      { signal },
    );
  }

  async function syncVolume(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const reference = volume.spec?.claimRef;
    if (!reference) {
      await setVolumePhase(volume, 'Available', signal);
      return;
    }
    if (!reference.uid) {
      await setVolumePhase(volume, 'Available', signal);
      return;
    }
    const claim = claims.get(reference.name ?? '', reference.namespace);
    if (claim?.metadata?.uid === reference.uid) return;
    // The cache may not have the claim yet.
    const live = await ignoreNotFound(
      client.get<PersistentVolumeClaim>(
        RESOURCES.persistentvolumeclaims,
        reference.name ?? '',
        reference.namespace,
        signal,
      ),
    );
    if (live?.metadata?.uid === reference.uid) return;
    await setVolumePhase(volume, 'Released', signal);
    await reclaim(volume, signal);
  }

  async function reclaim(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const policy = volume.spec?.persistentVolumeReclaimPolicy ?? 'Retain';
    if (policy !== 'Delete') return;
    const isOurs = volume.metadata?.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER;
    if (!isOurs || directory === undefined) {
      const message = `error getting deleter volume plugin for volume "${volume.metadata?.name}": no deletable volume plugin matched`;
      recorder.event(volume, 'Warning', 'VolumeFailedDelete', message);
      return;
    }
    await deleteLocalVolume(directory, volume);
    await ignoreNotFound(client.delete(RESOURCES.persistentvolumes, { name: volume.metadata?.name ?? '' }, { signal }));
  }

  const claimsWaiting = (): string[] =>
    claims
      .list()
      .filter((claim) => claim.status?.phase !== 'Bound')
      .map(keyOf);

  if (directory !== undefined) {
    const ensured = new AbortController();
    disposer.defer(() => ensured.abort(new Error('the volume controller was disposed')));
    const done = ensureStandardClass(context, ensured.signal);
    disposer.defer(() => done);
  }
  disposer.use(
    createController({
      name: 'persistentvolume-binder-controller',
      clock,
      logger: context.logger,
      // One at a time: two claims must not take the same volume.
      concurrency: 1,
      sources: [
        source(claims, (claim) => [keyOf(claim)]),
        source(volumes, (volume) => {
          const reference = volume.spec?.claimRef;
          return reference ? [`${reference.namespace}/${reference.name}`] : claimsWaiting();
        }),
        source(classes, claimsWaiting),
        source(pods, (pod) =>
          (pod.spec?.volumes ?? []).flatMap((volume) =>
            volume.persistentVolumeClaim && !pod.spec?.nodeName
              ? [`${pod.metadata?.namespace}/${volume.persistentVolumeClaim.claimName}`]
              : [],
          ),
        ),
      ],
      reconcile: async ({ namespace, name, signal }) => {
        const claim = claims.get(name, namespace);
        if (claim && !claim.metadata?.deletionTimestamp) await syncClaim(claim, signal);
        return undefined;
      },
    }),
  );
  disposer.use(
    createController({
      name: 'persistentvolume-controller',
      clock,
      logger: context.logger,
      concurrency: 2,
      sources: [
        source(volumes, (volume) => [keyOf(volume)]),
        source(claims, (claim) => (claim.spec?.volumeName ? [claim.spec.volumeName] : [])),
      ],
      reconcile: async ({ name, signal }) => {
        const volume = volumes.get(name);
        if (!volume) return undefined;
        if (volume.metadata?.deletionTimestamp) {
          if (volume.status?.phase !== 'Bound')
            await releaseFinalizer(client, volume, PV_PROTECTION, RESOURCES.persistentvolumes, signal);
          else await syncVolume(volume, signal);
        } else await syncVolume(volume, signal);
        return undefined;
      },
    }),
  );
  disposer.use(startClaimProtection(context));
  return disposer;
}

/** Whether a volume may be used on a node, as far as host names tell; the scheduler has checked the rest. */
function isOnNode(volume: PersistentVolume, nodeName: string): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (!terms) return true;
  return terms.some((term) =>
    (term.matchExpressions ?? []).every(
      (expression) => expression.key !== 'kubernetes.io/hostname' || (expression.values ?? []).includes(nodeName),
    ),
  );
}
