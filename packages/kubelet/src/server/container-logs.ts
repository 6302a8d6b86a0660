import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LogOptions, readLogs } from '../logs/log-reader.ts';
import type { ContainerSlot } from '../pods/container-slot.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { findSlot, findWorker, HttpError } from './lookup.ts';
import type { KubeletServerOptions } from './server.ts';

/** `/containerLogs/<namespace>/<pod>/<container>` with the options of PodLogOptions. */
export async function sendContainerLogs(
  _request: IncomingMessage,
  response: ServerResponse,
  options: KubeletServerOptions,
  parts: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  const [namespace = '', name = '', container = ''] = parts;
  const worker = findWorker(options.workers(), namespace, name);
  const slot = findSlot(worker, container);
  const isPrevious = query.get('previous') === 'true';
  const attempt = attemptOf(worker, slot, isPrevious);
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  const logOptions: LogOptions = {
    path: slot.logPath(attempt),
    follow: query.get('follow') === 'true' && !isPrevious,
    isOver: () => slot.record?.attempt !== attempt || !slot.isRunning,
    notifier: options.context.shared.notifier,
    clock: options.context.clock,
    signal: abort.signal,
    timestamps: query.get('timestamps') === 'true',
    ...numberOption(query, 'tailLines'),
    ...numberOption(query, 'limitBytes'),
    ...sinceOption(query, options.context.clock.now()),
    ...(query.get('stream') === 'Stdout' ? { stream: 'stdout' as const } : {}),
    ...(query.get('stream') === 'Stderr' ? { stream: 'stderr' as const } : {}),
  };
  for await (const chunk of readLogs(logOptions)) {
    if (!response.write(chunk)) await new Promise<void>((resolve) => onceDrained(response, resolve));
    if (abort.signal.aborted) return;
  }
  response.end();
}

function onceDrained(response: ServerResponse, resolve: () => void): void {
  const done = (): void => {
    response.off('drain', done);
    response.off('close', done);
    resolve();
  };
  response.on('drain', done);
  response.on('close', done);
}

/** kubelet's validateContainerLogStatus, with its words. */
function attemptOf(worker: PodWorker, slot: ContainerSlot, isPrevious: boolean): number {
  const name = slot.spec.name;
  const pod = worker.pod.metadata?.name ?? '';
  const { record } = slot;
  if (isPrevious) {
    // A container that waits for its restart: the run that ended is the previous one.
    const previous = slot.hasEnded && slot.waiting ? record : slot.last;
    if (!previous) throw new HttpError(400, `previous terminated container "${name}" in pod "${pod}" not found`);
    return previous.attempt;
  }
  if (record) return record.attempt;
  const reason = slot.waiting?.reason ?? 'ContainerCreating';
  if (['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'].includes(reason))
    throw new HttpError(
      400,
      `container "${name}" in pod "${pod}" is waiting to start: ${reason === 'ErrImagePull' || reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason}`,
    );
  throw new HttpError(400, `container "${name}" in pod "${pod}" is waiting to start: ${reason}`);
}

function numberOption(query: URLSearchParams, name: 'tailLines' | 'limitBytes'): Partial<LogOptions> {
  const text = query.get(name);
  if (text === null) return {};
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid ${name}: ${text}`);
  return { [name]: value };
}

function sinceOption(query: URLSearchParams, nowMs: number): Partial<LogOptions> {
  const seconds = query.get('sinceSeconds');
  if (seconds !== null) return { since: new Date(nowMs - Number(seconds) * 1000).toISOString() };
  const time = query.get('sinceTime');
  if (time === null) return {};
  const parsed = Date.parse(time);
  if (Number.isNaN(parsed)) throw new HttpError(400, `invalid sinceTime: ${time}`);
  return { since: new Date(parsed).toISOString() };
}
