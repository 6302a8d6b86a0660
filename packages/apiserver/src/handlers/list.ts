import { badRequest, expired, tooLargeResourceVersion } from '@kind-e2e/kube-api';
import type { ApiContext, ResourceRequest } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import { recordsOf } from '../operations/object-identity.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { type ListMeta, recordEncoder } from '../views/record-encoder.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts';
import { type ListQuery, parseListQuery } from './options.ts';
import { createSelection, type Selection } from './selection.ts';
import { contentTypeOf, encodeBody } from './send.ts';

/** How long a client may take for the next page, and how many lists are kept meanwhile. */
const SNAPSHOT_TTL_MS = 300_000;
const MAX_SNAPSHOTS = 64;
/** How long a list waits for a revision that is not there yet (apiserver's `blockTimeout`). */
const REVISION_WAIT_MS = 3_000;

/** GET of a collection: `limit`, `continue`, selectors, and resourceVersion as apiserver's `GetList` treats it. */
export async function handleList(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const options = parseListQuery(call.query, false);
  const selection = createSelection(resource, info.namespace, info.name, options.labelSelector, options.fieldSelector);
  const page = await listPage(call, selection, options);
  const encoder = recordEncoder(resource, call.form, call.include, () => context.clock.now());
  await sendText(call.request, call.response, await encodeBody(call.form, encoder.list(page.records, page.meta)), {
    contentType: contentTypeOf(call.form),
    warnings: call.warnings,
  });
}

interface Page {
  readonly records: readonly ObjectRecord[];
  readonly meta: ListMeta;
}

async function listPage(call: ResourceRequest, selection: Selection, options: ListQuery): Promise<Page> {
  const { context } = call;
  if (options.continue !== '' && options.revision > 0)
    throw badRequest('specifying resource version is not allowed when using continue');
  const token = options.continue === '' ? undefined : decodeContinue(options.continue);
  if (!token) await waitForRevision(context, options.revision);
  await context.store.durable();
  const state = stateOf(call, options, token);
  const start = token ? firstAfter(state.records, token.after) : 0;
  const limit = options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const chosen: ObjectRecord[] = [];
  let index = start;
  for (; index < state.records.length && chosen.length < limit; index++) {
    const record = state.records[index];
    if (record && selection.matches(record)) chosen.push(record);
  }
  let rest = 0;
  for (let i = index; i < state.records.length; i++) {
    const record = state.records[i];
    if (record && selection.matches(record)) rest++;
  }
  const last = chosen.at(-1);
  if (rest === 0 || !last) return { records: chosen, meta: { resourceVersion: String(state.revision) } };
  rememberSnapshot(call, state);
  const hasSelector = options.labelSelector !== '' || options.fieldSelector !== '';
  return {
    records: chosen,
    meta: {
      resourceVersion: String(state.revision),
      continue: encodeContinue({ revision: state.revision, after: keyOf(last) }),
      ...(hasSelector ? {} : { remainingItemCount: rest }),
    },
  };
}

/**
 * The objects that a list is about: those of now, of the page before, or of the revision that is asked for. A limit
 * beside a revision asks for exactly that revision, too (the old meaning, `storage.ListOptions` of etcd3).
 */
function stateOf(call: ResourceRequest, options: ListQuery, token: ContinueToken | undefined): ListState {
  if (token) return token.revision > 0 ? snapshotAt(call, token) : currentState(call);
  const isExact = options.match === 'Exact' || (options.match === '' && options.limit > 0);
  if (!isExact || options.revision === 0 || call.info.name !== '') return currentState(call);
  const past = pastState(call, options.revision);
  if (past) return past;
  throw expired('The resourceVersion for the provided list is too old.');
}

/** The objects as they were at a revision; undefined where what came later is not known any more. */
function pastState(call: ResourceRequest, revision: number): ListState | undefined {
  const records = recordsOf(call.context.store, call.resource);
  const namespace = listNamespace(call);
  const later = records.history.since(revision);
  if (!later) return undefined;
  const list = records.list(namespace);
  if (later.length === 0) return { revision, records: list };
  const byKey = new Map(list.map((record) => [keyOf(record), record]));
  for (const { type, record, previous, replayed } of later.toReversed()) {
    if (namespace !== undefined && record.namespace !== namespace) continue;
    if (replayed === true) return undefined;
    if (type === 'ADDED') byKey.delete(keyOf(record));
    else byKey.set(keyOf(record), previous ?? record);
  }
  const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  const sorted = [...byKey.values()].sort(
    (left, right) => order(left.namespace, right.namespace) || order(left.name, right.name),
  );
  return { revision, records: sorted };
}

/** Throws 504 where a revision is not reached in time. */
export async function waitForRevision(context: ApiContext, revision: number): Promise<void> {
  if (revision <= context.store.revision) return;
  // Nobody waits for what is far away: the next revisions come one by one.
  if (revision - context.store.revision < 10_000) await context.clock.sleep(REVISION_WAIT_MS);
  if (revision > context.store.revision)
    throw tooLargeResourceVersion(String(revision), String(context.store.durableRevision), 1);
}

/** All objects that one list with its pages is about, as they were at a revision. */
interface ListState {
  readonly revision: number;
  readonly records: readonly ObjectRecord[];
}

interface Snapshot extends ListState {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly untilMs: number;
}

const snapshots = new WeakMap<ApiContext, Snapshot[]>();

function currentState(call: ResourceRequest): ListState {
  const { context, resource, info } = call;
  const records = recordsOf(context.store, resource);
  const namespace = listNamespace(call);
  if (info.name !== '') {
    const record = records.get(info.namespace, info.name);
    return { revision: context.store.durableRevision, records: record ? [record] : [] };
  }
  return { revision: context.store.durableRevision, records: records.list(namespace) };
}

function listNamespace(call: ResourceRequest): string | undefined {
  return call.resource.definition.namespaced ? call.info.namespace || undefined : undefined;
}

function rememberSnapshot(call: ResourceRequest, state: ListState): void {
  const { context, resource } = call;
  const known = liveSnapshots(context);
  const namespace = listNamespace(call);
  if (
    known.some(
      (one) => one.revision === state.revision && one.collection === resource.collection && one.namespace === namespace,
    )
  )
    return;
  known.push({ ...state, collection: resource.collection, namespace, untilMs: context.clock.now() + SNAPSHOT_TTL_MS });
  if (known.length > MAX_SNAPSHOTS) known.shift();
}

function liveSnapshots(context: ApiContext): Snapshot[] {
  const now = context.clock.now();
  const live = (snapshots.get(context) ?? []).filter((one) => one.untilMs > now);
  snapshots.set(context, live);
  return live;
}

function snapshotAt(call: ResourceRequest, token: ContinueToken): ListState {
  const { context, resource } = call;
  const namespace = listNamespace(call);
  const known = liveSnapshots(context).find(
    (one) => one.revision === token.revision && one.collection === resource.collection && one.namespace === namespace,
  );
  const state = known ?? pastState(call, token.revision);
  if (state) return state;
  throw expiredContinue(encodeContinue({ revision: -1, after: token.after }));
}

function expiredContinue(inconsistentToken: string): Error {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  Object.assign(error.status.metadata, { continue: inconsistentToken });
  return error;
}

function keyOf(record: ObjectRecord): string {
  return record.namespace === '' ? record.name : `${record.namespace}/${record.name}`;
}

function firstAfter(records: readonly ObjectRecord[], after: string): number {
  const at = after.lastIndexOf('/');
  const namespace = at < 0 ? '' : after.slice(0, at);
  const name = after.slice(at + 1);
  const index = records.findIndex(
    (record) => record.namespace > namespace || (record.namespace === namespace && record.name > name),
  );
  return index < 0 ? records.length : index;
}
