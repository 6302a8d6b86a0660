import { expired, tooLargeResourceVersion } from '@kind-e2e/kube-api';
import type { ApiContext, ResourceRequest } from '../api-context.ts';
import { sendText } from '../http/respond.ts';
import { recordsOf } from '../operations/object-identity.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { type ListMeta, recordEncoder } from '../views/record-encoder.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
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
  const token = options.continue === '' ? undefined : decodeContinue(options.continue);
  if (!token) await waitForRevision(context, options.revision);
  await context.store.durable();
  const state = token && token.revision > 0 ? snapshotAt(call, selection, token) : currentState(call);
  let start = 0;
  if (token) start = firstAfter(state.records, token.after);
  else if (options.match === 'Exact' && options.revision < recordsOf(context.store, call.resource).lastRevision)
    throw expired(`The resourceVersion for the provided list is too old.`);
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

function snapshotAt(
  call: ResourceRequest,
  selection: Selection,
  token: { revision: number; after: string },
): ListState {
  const { context, resource } = call;
  const namespace = listNamespace(call);
  const known = liveSnapshots(context).find(
    (one) => one.revision === token.revision && one.collection === resource.collection && one.namespace === namespace,
  );
  if (known) return known;
  const state = currentState(call);
  if (recordsOf(context.store, resource).lastRevision <= token.revision) return { ...state, revision: token.revision };
  void selection;
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
