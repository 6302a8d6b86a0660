import { badRequest, isRecord } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { decodeBody } from '../handlers/write-body.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';

export interface Review {
  readonly object: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
}

/** The body of a review: an object that is answered, not stored. */
export async function readReview(call: ResourceRequest): Promise<Review> {
  const { kind } = call.resource.definition;
  const raw = await parseDocument(await readBody(call.request), call.request.headers['content-type'], kind);
  if (!isRecord(raw)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  const object = decodeBody(call.resource, raw, 'Ignore').object as Record<string, unknown>;
  return { object, spec: isRecord(object.spec) ? object.spec : {} };
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** `extra` of a review's user: lists of strings by key. */
export function extraOf(value: unknown): Record<string, string[]> {
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, list]) => [key, textsOf(list)])) : {};
}
