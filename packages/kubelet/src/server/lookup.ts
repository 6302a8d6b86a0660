import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ContainerSlot } from '../pods/container-slot.ts';
import type { PodWorker } from '../pods/pod-worker.ts';

/** A request that fails with a status and a plain text. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}

export function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** The worker of a pod by namespace and name. Throws HttpError 404. */
export function findWorker(workers: ReadonlyMap<string, PodWorker>, namespace: string, name: string): PodWorker {
  for (const worker of workers.values())
    if (worker.pod.metadata?.namespace === namespace && worker.pod.metadata.name === name) return worker;
  throw new HttpError(404, `pod "${name}" not found\n`);
}

/** A container of the pod by name. Throws HttpError 404. */
export function findSlot(worker: PodWorker, container: string): ContainerSlot {
  const slot = worker.slots.find((each) => each.spec.name === container);
  if (!slot) throw new HttpError(404, `container "${container}" not found in pod "${worker.pod.metadata?.name}"`);
  return slot;
}
