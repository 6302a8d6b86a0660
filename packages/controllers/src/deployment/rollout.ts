import type { Clock } from '@kind-e2e/base';
import { messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type EventRecorder, ignoreNotFound, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Deployment, DeploymentStatus, ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import { isSameJson } from '../equality.ts';
import { controllerOf, controllerReference } from '../ownership/owner-references.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { newReplicaSetAnnotations, REVISION, withReplicasAnnotations } from './annotations.ts';
import { findNewReplicaSet, hasProgressDeadline, maxRevision, newSetReplicas, specReplicas } from './replica-sets.ts';
import { calculateStatus, progressing, REASON, rolloutStatus, setCondition, stuckCheckInMs } from './status.ts';
import { hashOf, isSameTemplate, POD_TEMPLATE_HASH } from './template-hash.ts';

export const DEPLOYMENT_KIND = { apiVersion: 'apps/v1', kind: 'Deployment' };

export interface RolloutOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly deployment: Deployment;
  /** The ReplicaSets that the Deployment controls. */
  readonly sets: readonly ReplicaSet[];
  readonly signal: AbortSignal;
}

/**
 * One pass over one Deployment: what the strategies share (upstream pkg/controller/deployment/sync.go). Writes carry
 * the version that was read, so that a pass on an old cache loses with `Conflict` and is made again.
 */
export class Rollout {
  readonly sets: readonly ReplicaSet[];
  readonly #options: RolloutOptions;
  #deployment: Deployment;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#deployment = options.deployment;
    this.sets = options.sets;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  get now(): number {
    return this.#options.clock.now();
  }

  /** The newest ReplicaSet, made where it is missing and `create` says so, and all others. */
  async syncSets(create: boolean): Promise<{ newSet: ReplicaSet | undefined; oldSets: ReplicaSet[] }> {
    const found = findNewReplicaSet(this.#deployment, this.sets);
    const oldSets = this.sets.filter((rs) => rs.metadata?.uid !== found?.metadata?.uid);
    const revision = maxRevision(oldSets) + 1;
    if (found) return { newSet: await this.#syncNewSet(found, revision), oldSets };
    return { newSet: create ? await this.#createNewSet(oldSets, revision) : undefined, oldSets };
  }

  async #syncNewSet(found: ReplicaSet, revision: number): Promise<ReplicaSet> {
    const annotations = newReplicaSetAnnotations(this.#deployment, found.metadata?.annotations, revision, true);
    const minReadySeconds = this.#deployment.spec?.minReadySeconds ?? 0;
    let newSet = found;
    if (!isSameJson(annotations, found.metadata?.annotations) || minReadySeconds !== (found.spec?.minReadySeconds ?? 0))
      newSet = await this.#updateSet({
        ...found,
        metadata: { ...found.metadata, annotations },
        ...(found.spec ? { spec: { ...found.spec, minReadySeconds } } : {}),
      });
    let { conditions } = this.#deployment.status ?? {};
    if (hasProgressDeadline(this.#deployment) && !progressing(this.#deployment)) {
      const message = `Found new replica set "${newSet.metadata?.name}"`;
      const condition = { type: 'Progressing', status: 'True', reason: REASON.found, message };
      conditions = setCondition(conditions, condition, this.now);
    }
    await this.#setRevision(newSet.metadata?.annotations?.[REVISION], conditions);
    return newSet;
  }

  async #createNewSet(oldSets: readonly ReplicaSet[], revision: number): Promise<ReplicaSet> {
    const { client, recorder, signal } = this.#options;
    const deployment = this.#deployment;
    const draft = this.#draft(oldSets, revision);
    const name = draft.metadata?.name ?? '';
    let created: ReplicaSet;
    let isNew = true;
    try {
      created = await client.create<ReplicaSet>(RESOURCES.replicasets, draft, { signal });
    } catch (error) {
      if (isStatusError(error, 409) && error.reason === 'AlreadyExists') {
        created = await this.#takeExisting(name, error);
        isNew = false;
      } else {
        if (!isNamespaceTerminating(error) && !signal.aborted) await this.#tellCreateFailed(name, error);
        throw error;
      }
    }
    const replicas = specReplicas(draft);
    if (isNew && replicas > 0)
      recorder.event(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${created.metadata?.name} from 0 to ${replicas}`,
      );
    let { conditions } = deployment.status ?? {};
    if (isNew && hasProgressDeadline(deployment)) {
      const message = `Created new replica set "${created.metadata?.name}"`;
      const condition = { type: 'Progressing', status: 'True', reason: REASON.created, message };
      conditions = setCondition(conditions, condition, this.now);
    }
    await this.#setRevision(String(revision), conditions);
    return created;
  }

  #draft(oldSets: readonly ReplicaSet[], revision: number): ReplicaSet {
    const deployment = this.#deployment;
    const { spec } = deployment;
    const hash = hashOf(spec?.template, deployment.status?.collisionCount);
    const labels = { ...spec?.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
    const draft: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata?.name}-${hash}`,
        namespace: deployment.metadata?.namespace,
        labels,
        annotations: newReplicaSetAnnotations(deployment, undefined, revision, false),
        ownerReferences: [controllerReference(deployment, DEPLOYMENT_KIND)],
      },
      spec: {
        replicas: 0,
        ...(spec?.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
        selector: {
          ...spec?.selector,
          matchLabels: { ...spec?.selector.matchLabels, [POD_TEMPLATE_HASH]: hash },
        },
        template: { ...spec?.template, metadata: { ...spec?.template.metadata, labels } },
      },
    };
    const replicas = newSetReplicas(deployment, [...oldSets, draft], draft);
    return draft.spec ? { ...draft, spec: { ...draft.spec, replicas } } : draft;
  }

  /** A set of that name which is ours is taken; another one is a collision of hashes, which is counted. */
  async #takeExisting(name: string, error: unknown): Promise<ReplicaSet> {
    const { client, signal } = this.#options;
    const { namespace, uid } = this.#deployment.metadata ?? {};
    const existing = await ignoreNotFound(client.get<ReplicaSet>(RESOURCES.replicasets, name, namespace, signal));
    if (!existing) throw error;
    const isOurs = controllerOf(existing)?.uid === uid;
    if (isOurs && isSameTemplate(existing.spec?.template, this.#deployment.spec?.template)) return existing;
    const collisionCount = (this.#deployment.status?.collisionCount ?? 0) + 1;
    await this.#writeStatus({ ...this.#deployment.status, collisionCount });
    throw error;
  }

  async #tellCreateFailed(name: string, error: unknown): Promise<void> {
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
    if (hasProgressDeadline(this.#deployment)) {
      const condition = { type: 'Progressing', status: 'False', reason: REASON.createFailed, message };
      const conditions = setCondition(this.#deployment.status?.conditions, condition, this.now);
      await this.#writeStatus({ ...this.#deployment.status, conditions });
    }
    this.#options.recorder.event(this.#deployment, 'Warning', REASON.createFailed, message);
  }

  async #setRevision(
    revision: string | undefined,
    conditions: DeploymentStatus['conditions'] | undefined,
  ): Promise<void> {
    const { metadata, status } = this.#deployment;
    const isSameRevision = revision === undefined || metadata?.annotations?.[REVISION] === revision;
    if (isSameRevision && isSameJson(conditions, status?.conditions)) return;
    if (revision !== undefined)
      this.#deployment = {
        ...this.#deployment,
        metadata: { ...metadata, annotations: { ...metadata?.annotations, [REVISION]: revision } },
      };
    await this.#writeStatus({ ...status, ...(conditions ? { conditions } : {}) });
  }

  async #writeStatus(status: DeploymentStatus): Promise<void> {
    const { client, signal } = this.#options;
    this.#deployment = await client.update<Deployment>(
      RESOURCES.deployments,
      { ...this.#deployment, status },
      { subresource: 'status', signal },
    );
  }

  async #updateSet(rs: ReplicaSet): Promise<ReplicaSet> {
    return await this.#options.client.update<ReplicaSet>(RESOURCES.replicasets, rs, { signal: this.#options.signal });
  }

  /** Sets the size of a ReplicaSet, notes what the size is proportional to, and tells of it. */
  async scale(rs: ReplicaSet, replicas: number): Promise<ReplicaSet> {
    const before = specReplicas(rs);
    const annotations = withReplicasAnnotations(rs.metadata?.annotations, this.#deployment);
    if (before === replicas && isSameJson(annotations, rs.metadata?.annotations)) return rs;
    const scaled = await this.#updateSet({
      ...rs,
      metadata: { ...rs.metadata, annotations },
      ...(rs.spec ? { spec: { ...rs.spec, replicas } } : {}),
    });
    if (before !== replicas)
      this.#options.recorder.event(
        this.#deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${before < replicas ? 'up' : 'down'} replica set ${rs.metadata?.name} from ${before} to ${replicas}`,
      );
    return scaled;
  }

  /** Writes the status of a rollout; gives the time after which it may count as stuck. */
  async syncRolloutStatus(
    all: readonly ReplicaSet[],
    newSet: ReplicaSet | undefined,
  ): Promise<{ readonly requeueAfterMs?: number } | undefined> {
    const status = rolloutStatus(this.#deployment, all, newSet, this.now);
    if (!isSameJson(status, this.#deployment.status)) await this.#writeStatus(status);
    const requeueAfterMs = stuckCheckInMs(this.#deployment, status, this.now);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** Writes the counts only, as while paused or scaling. */
  async syncStatus(all: readonly ReplicaSet[], newSet: ReplicaSet | undefined): Promise<void> {
    const status = calculateStatus(this.#deployment, all, newSet, this.now);
    if (!isSameJson(status, this.#deployment.status)) await this.#writeStatus(status);
  }

  /** Keeps the condition Progressing in step with `spec.paused`, so that a pause does not count towards the deadline. */
  async syncPaused(): Promise<void> {
    const deployment = this.#deployment;
    const current = progressing(deployment);
    if (!hasProgressDeadline(deployment) || current?.reason === REASON.timedOut) return;
    const isPaused = deployment.spec?.paused === true;
    if (isPaused === (current?.reason === REASON.paused)) return;
    const condition = isPaused
      ? { type: 'Progressing', status: 'Unknown', reason: REASON.paused, message: 'Deployment is paused' }
      : { type: 'Progressing', status: 'Unknown', reason: REASON.resumed, message: 'Deployment is resumed' };
    await this.#writeStatus({
      ...deployment.status,
      conditions: setCondition(deployment.status?.conditions, condition, this.now),
    });
  }

  async deleteSet(rs: ReplicaSet): Promise<void> {
    const { name = '', namespace } = rs.metadata ?? {};
    await ignoreNotFound(
      this.#options.client.delete(RESOURCES.replicasets, { name, namespace }, { signal: this.#options.signal }),
    );
  }
}
