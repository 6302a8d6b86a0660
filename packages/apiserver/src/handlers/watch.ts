import { expired, type Status, statusError } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { warningHeaders } from '../http/warning-headers.ts';
import { recordsOf } from '../operations/object-identity.ts';
import type { CollectionChange } from '../storage/collection.ts';
import { type ChangeEncoder, chunkOf, type WatchSink } from '../storage/watch-hub.ts';
import { type RecordEncoder, recordEncoder } from '../views/record-encoder.ts';
import { FrameWriter } from './frame-writer.ts';
import { type ListQuery, parseListQuery } from './options.ts';
import { createSelection, type Selection } from './selection.ts';

/** Between bookmarks (apiserver sends one a minute). */
const BOOKMARK_EVERY_MS = 60_000;
/** A watch without `timeoutSeconds` lasts 30 to 60 minutes (`MinRequestTimeout`). */
const MIN_WATCH_MS = 1_800_000;
const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** GET with `watch`: newline-separated events over chunked HTTP, from a revision on, until the client or the time ends it. */
export async function handleWatch(call: ResourceRequest): Promise<void> {
  const { context, resource, info, response } = call;
  const options = parseListQuery(call.query, true);
  const selection = createSelection(resource, info.namespace, info.name, options.labelSelector, options.fieldSelector);
  await socketOf(call);
  await context.store.durable();
  const encoder = recordEncoder(resource, call.form, call.include, () => context.clock.now());
  const isTable = call.form.form === 'Table';
  const encode = changeEncoder(selection, encoder);
  const initial = initialFrames(call, options, selection, encoder, encode);
  if (response.destroyed) return;
  const socket = response.socket;
  if (!socket) return;
  response.writeHead(200, {
    'Cache-Control': 'no-cache, private',
    'Content-Type': 'application/json',
    'Transfer-Encoding': 'chunked',
    ...(call.warnings.length > 0 ? { Warning: warningHeaders(call.warnings) } : {}),
  });
  response.flushHeaders();
  // From here on complete chunks are written to the socket as they are: one buffer serves all watchers alike.
  const { hub } = recordsOf(context.store, resource);
  await new Promise<void>((resolve) => {
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      subscription[Symbol.dispose]();
      bookmarks?.[Symbol.dispose]();
      timeout[Symbol.dispose]();
      call.signal.removeEventListener('abort', end);
      if (!socket.destroyed) writer.end(LAST_CHUNK);
      resolve();
    };
    const writer = new FrameWriter(socket, () => {
      context.logger.warn('watcher is too slow and is let go', { resource: resource.collection, user: call.user.name });
      socket.destroy();
      end();
    });
    if (initial !== '') writer.write(chunkOf(initial));
    const sink: WatchSink = {
      send: (frames) => {
        if (!ended) writer.write(frames);
      },
      end,
    };
    const key = isTable ? `table/${nextTableKey++}` : `${resource.apiVersion}|${encoder.key}|${selection.key}`;
    const subscription = hub.subscribe(key, encode, sink);
    let bookmarks: Disposable | undefined;
    const bookmark = (): void => {
      hub.flush();
      if (!ended && !socket.destroyed)
        writer.write(chunkOf(frame('BOOKMARK', encoder.bookmark(String(context.store.durableRevision)))));
    };
    const scheduleBookmark = (): void => {
      bookmarks = context.clock.after(BOOKMARK_EVERY_MS * (0.9 + Math.random() * 0.2), () => {
        bookmark();
        scheduleBookmark();
      });
    };
    if (options.allowWatchBookmarks) scheduleBookmark();
    const lastsMs = options.timeoutSeconds ? options.timeoutSeconds * 1000 : MIN_WATCH_MS * (1 + Math.random());
    const timeout = context.clock.after(Math.min(lastsMs, 2 ** 31 - 1), () => {
      if (options.allowWatchBookmarks) bookmark();
      end();
    });
    socket.once('close', end);
    call.signal.addEventListener('abort', end, { once: true });
    if (call.signal.aborted || socket.destroyed) end();
  });
}

/**
 * Waits until the response has its connection: a fast client asks again before Node has seen the end of the answer
 * before, and only then hands the connection on.
 */
async function socketOf({ context, response, request }: ResourceRequest): Promise<void> {
  while (response.socket === null && !request.socket.destroyed) await context.clock.sleep(1);
}

let nextTableKey = 1;

function frame(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

/** What each change is for watchers of a selection: objects that begin or cease to match are added and deleted. */
function changeEncoder(selection: Selection, encoder: RecordEncoder): ChangeEncoder {
  return (changes) => {
    let text = '';
    for (const change of changes) text += changeFrame(change, selection, encoder);
    return text;
  };
}

function changeFrame(change: CollectionChange, selection: Selection, encoder: RecordEncoder): string {
  const { type, record, previous, replayed } = change;
  const revision = String(record.revision);
  if (selection.isEverything) return frame(type, encoder.event(type, record));
  if (type === 'DELETED') {
    const last = previous ?? record;
    if (!selection.matches(last)) return '';
    return frame('DELETED', encoder.event('DELETED', record));
  }
  const matches = selection.matches(record);
  if (replayed === true)
    return matches
      ? frame('MODIFIED', encoder.event('MODIFIED', record))
      : inNamespace(selection, record.namespace)
        ? frame('DELETED', encoder.event('DELETED', record))
        : '';
  const matched = previous !== undefined && type !== 'ADDED' && selection.matches(previous);
  if (matches) return frame(matched ? 'MODIFIED' : 'ADDED', encoder.event(matched ? 'MODIFIED' : 'ADDED', record));
  if (matched && previous) return frame('DELETED', encoder.event('DELETED', previous, revision));
  return '';
}

function inNamespace(selection: Selection, namespace: string): boolean {
  return selection.namespace === undefined || selection.namespace === namespace;
}

/** The events that a watch begins with: those since its revision, or all objects. */
function initialFrames(
  call: ResourceRequest,
  options: ListQuery,
  selection: Selection,
  encoder: RecordEncoder,
  encode: ChangeEncoder,
): string {
  const { context, resource } = call;
  const records = recordsOf(context.store, resource);
  const isUnset = options.resourceVersion === '' || options.resourceVersion === '0';
  if (options.revision > context.store.revision)
    return frame('ERROR', JSON.stringify(futureStatus(options.revision, context.store.durableRevision)));
  const wantsState = options.sendInitialEvents ?? isUnset;
  if (!wantsState) {
    const from = options.revision === 0 ? context.store.durableRevision : options.revision;
    const missed = records.history.since(from);
    if (missed) return encode(asCreated(missed, from));
    const status: Status = expired(`too old resource version: ${from} (${records.history.start})`).status;
    return frame('ERROR', JSON.stringify(status));
  }
  let text = '';
  for (const record of records.list(resource.definition.namespaced ? selection.namespace : ''))
    if (selection.matches(record)) text += frame('ADDED', encoder.event('ADDED', record));
  if (options.sendInitialEvents === true && options.allowWatchBookmarks)
    text += frame(
      'BOOKMARK',
      encoder.bookmark(String(context.store.durableRevision), { 'k8s.io/initial-events-end': 'true' }),
    );
  return text;
}

/** Changes read back from the data file: what was created after the client's revision is new to it. */
function asCreated(changes: readonly CollectionChange[], from: number): readonly CollectionChange[] {
  return changes.map((change) =>
    change.replayed === true && change.type === 'MODIFIED' && change.record.createRevision > from
      ? { type: 'ADDED', record: change.record, previous: undefined }
      : change,
  );
}

function futureStatus(wanted: number, current: number): Status {
  return statusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  }).status;
}
