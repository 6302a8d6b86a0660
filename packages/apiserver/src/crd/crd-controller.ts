import { isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { recordsIn } from '../admission/pod-parts.ts';
import type { ApiContext } from '../api-context.ts';
import { deleteObject } from '../operations/delete.ts';
import { sectionOf, timestampOf } from '../operations/object-identity.ts';
import { ownWrite, SERVER_USER } from '../operations/own-write.ts';
import { servedCopy, updateObject } from '../operations/update.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { type CrdSpec, readCrd } from './crd-spec.ts';
import { judgeNames, type NameJudgement } from './names.ts';
import { servedVersions } from './served-versions.ts';

const CRD_COLLECTION = 'apiextensions.k8s.io/customresourcedefinitions';
/** Holds a CRD until its objects are gone. */
const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/**
 * Serves what CRDs define, from the moment they are stored: names are accepted or not, versions served, conditions
 * written; a deleted CRD takes its objects with it (apiextensions-apiserver's naming, establishing and finalizing
 * controllers).
 */
export class CrdController {
  readonly #context: ApiContext;
  readonly #due = new Set<string>();
  /** Collections of CRDs that are being deleted, with the CRD's name. */
  readonly #terminating = new Map<string, string>();

  constructor(context: ApiContext) {
    this.#context = context;
    for (const record of context.store.collection(CRD_COLLECTION).list()) void this.#serve(record.name);
    context.store.onChange((collection, { record }) => {
      if (collection.resource === CRD_COLLECTION) this.#enqueue(record.name);
      else {
        const crd = this.#terminating.get(collection.resource);
        if (crd !== undefined && collection.size === 0) this.#enqueue(crd);
      }
    });
  }

  #enqueue(name: string): void {
    if (this.#due.size === 0) queueMicrotask(() => this.#run());
    this.#due.add(name);
  }

  #run(): void {
    const names = [...this.#due];
    this.#due.clear();
    for (const name of names) void this.#serve(name);
  }

  async #serve(name: string): Promise<void> {
    try {
      await this.#sync(name);
    } catch (error) {
      this.#context.logger.error('custom resource definition could not be served', { crd: name, error });
    }
  }

  /** Whatever others have to see at once is done before the first pause. */
  async #sync(name: string): Promise<void> {
    const { store, resources } = this.#context;
    const record = store.collection(CRD_COLLECTION).get('', name);
    if (!record) {
      const ended = resources.setCustom(name, []);
      for (const collection of ended) {
        store.drop(collection);
        this.#terminating.delete(collection);
      }
      return;
    }
    const crd = readCrd(record.object);
    const names = this.#judgeNames(crd);
    const { conflict } = names;
    const wasEstablished = recordsIn(sectionOf(record.object, 'status'), 'conditions').some(
      (condition) => condition.type === 'Established' && condition.status === 'True',
    );
    const stored = storedVersions(record.object);
    if (conflict === undefined || wasEstablished) resources.setCustom(name, servedVersions(crd, stored));
    const isTerminating = record.object.metadata?.deletionTimestamp !== undefined;
    await this.#writeStatus(record, names, wasEstablished, isTerminating, stored);
    if (isTerminating) await this.#cleanUp(name, crd);
  }

  /** Which of a CRD's names others of its group have accepted already (`calculateNamesAndConditions`). */
  #judgeNames(crd: CrdSpec): NameJudgement {
    const taken = new Set<string>();
    const kinds = new Set<string>();
    for (const record of this.#context.store.collection(CRD_COLLECTION).records()) {
      if (record.name === crd.name || readCrd(record.object).group !== crd.group) continue;
      const accepted = sectionOf(record.object, 'status').acceptedNames;
      if (!isRecord(accepted)) continue;
      for (const name of [accepted.plural, accepted.singular, ...listOf(accepted.shortNames)]) taken.add(String(name));
      for (const name of [accepted.kind, accepted.listKind]) kinds.add(String(name));
    }
    return judgeNames(crd.names, taken, kinds);
  }

  async #writeStatus(
    record: ObjectRecord,
    names: NameJudgement,
    wasEstablished: boolean,
    isTerminating: boolean,
    stored: readonly string[],
  ): Promise<void> {
    const resource = this.#context.resources.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    if (!resource) return;
    const object = servedCopy(resource, record);
    const status = sectionOf(object, 'status');
    const { conflict } = names;
    const accepted = conflict === undefined;
    const wanted: Condition[] = [
      accepted
        ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
        : { type: 'NamesAccepted', status: 'False', reason: conflict.reason, message: conflict.message },
      accepted || wasEstablished
        ? {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          }
        : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
      ...(isTerminating
        ? [
            {
              type: 'Terminating',
              status: 'True',
              reason: 'InstanceDeletionInProgress',
              message: 'CustomResource deletion is in progress',
            } as const,
          ]
        : []),
    ];
    const next = {
      ...object,
      status: {
        ...status,
        conditions: this.#conditions(recordsIn(status, 'conditions'), wanted),
        acceptedNames: { ...(isRecord(status.acceptedNames) ? status.acceptedNames : {}), ...names.accepted },
        storedVersions: stored,
      },
    } as KubeObject;
    await updateObject(this.#context, resource, record, next, { ...ownWrite(), subresource: 'status' });
  }

  #conditions(present: readonly Record<string, unknown>[], wanted: readonly Condition[]): unknown[] {
    const now = timestampOf(this.#context.clock.now());
    const made = wanted.map((condition) => {
      const known = present.find(({ type }) => type === condition.type);
      const isSame = known?.status === condition.status;
      return { ...condition, lastTransitionTime: isSame ? (known?.lastTransitionTime ?? now) : now };
    });
    return [...present.filter(({ type }) => !wanted.some((one) => one.type === type)), ...made];
  }

  async #cleanUp(name: string, crd: CrdSpec): Promise<void> {
    const { store, resources } = this.#context;
    const collection = `${crd.group}/${crd.names.plural}`;
    this.#terminating.set(collection, name);
    const served = resources.findAnyVersion(crd.group, crd.names.plural);
    if (served)
      for (const record of store.collection(collection).list())
        if (record.object.metadata?.deletionTimestamp === undefined)
          await deleteObject(this.#context, served, record, {
            propagationPolicy: 'Background',
            dryRun: false,
            user: SERVER_USER,
            isInternal: true,
            warnings: [],
          });
    if (store.collection(collection).size > 0) return;
    const resource = resources.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    const record = store.collection(CRD_COLLECTION).get('', name);
    if (!resource || !record) return;
    const object = servedCopy(resource, record);
    const finalizers = (object.metadata?.finalizers ?? []).filter((one) => one !== CRD_CLEANUP);
    if (finalizers.length === (object.metadata?.finalizers ?? []).length) return;
    await updateObject(
      this.#context,
      resource,
      record,
      { ...object, metadata: { ...object.metadata, finalizers } },
      { ...ownWrite(), subresource: '' },
    );
  }
}

/** Every version that objects were ever stored in, as far as nobody took it from the list. */
function storedVersions(crd: KubeObject): string[] {
  const { storedVersions: present } = sectionOf(crd, 'status');
  const storage = readCrd(crd).versions.find((version) => version.storage)?.name;
  const known = Array.isArray(present) ? present.map(String) : [];
  return storage === undefined || known.includes(storage) ? known : [...known, storage];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
