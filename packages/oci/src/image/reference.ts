import { LabError } from '@kind-e2e/base';
import { type Digest, isDigest } from './digest.ts';

/** An image name, complete: `localhost:5001/front-end:dev`, `docker.io/library/redis@sha256:…`. */
export interface Reference {
  /** Host and port of the registry, `docker.io` where the text named none. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const MAX_NAME_LENGTH = 255;

/** The text is no image name; the message is the one of distribution/reference, which kubelet and docker print. */
export class InvalidReferenceError extends LabError {
  constructor(message: string) {
    super(message, { code: 'INVALID_IMAGE_REFERENCE', side: 'user' });
    this.name = 'InvalidReferenceError';
  }
}

export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && REPOSITORY.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Reads an image name with Docker's defaults (`docker.io`, `library/`, tag `latest` when neither tag nor digest is
 * there), as `ParseNormalizedNamed` and `TagNameOnly` of distribution/reference do. Throws InvalidReferenceError.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw new InvalidReferenceError('invalid reference format');
  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasRegistry = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = hasRegistry ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io';
  const rest = hasRegistry ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  const path = hasTag ? rest.slice(0, colon) : rest;
  const tag = hasTag ? rest.slice(colon + 1) : undefined;
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (tag !== undefined && !TAG.test(tag)) throw new InvalidReferenceError('invalid reference format');
  if (!REGISTRY.test(registry) || path === '') throw new InvalidReferenceError('invalid reference format');
  if (!REPOSITORY.test(repository)) {
    if (REPOSITORY.test(repository.toLowerCase()))
      throw new InvalidReferenceError(`invalid reference format: repository name (${repository}) must be lowercase`);
    throw new InvalidReferenceError('invalid reference format');
  }
  if (repository.length > MAX_NAME_LENGTH)
    throw new InvalidReferenceError(`repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  const settledTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    registry,
    repository,
    ...(settledTag === undefined ? {} : { tag: settledTag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The whole name, as containerd writes it in messages: registry, repository, tag and digest. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}
