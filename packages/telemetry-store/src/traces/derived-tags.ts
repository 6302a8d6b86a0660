import type { Span } from '@kind-e2e/telemetry';
import type { ProtobufReader } from '../bytes/protobuf.ts';
import type { SpanCatalog } from './catalog.ts';
import { readStatus } from './span-codec.ts';
import { hashTag } from './tag-hash.ts';
import type { TagPrintsBuilder } from './tag-prints.ts';

/** A tag that Jaeger shows but that is no attribute (`jaegerquery`'s translation of OTLP spans). */
export interface DerivedTag {
  /** Whether a span has the tag beside its attributes. */
  has(span: Span, value: string): boolean;
  /** How a block says which of its spans have it: under this key, by their kind, or, for such a value, not at all. */
  foundBy(value: string): { readonly key: string } | 'kind' | 'nothing';
}

/** Only what is not empty is in a block's prints. */
const under =
  (key: string) =>
  (value: string): { readonly key: string } | 'nothing' =>
    value === '' ? 'nothing' : { key };

const SCOPE_NAME: DerivedTag = { has: ({ scope }, value) => scope.name === value, foundBy: under('otel.scope.name') };
const SCOPE_VERSION: DerivedTag = {
  has: ({ scope }, value) => scope.version === value,
  foundBy: under('otel.scope.version'),
};

const DERIVED_TAGS: ReadonlyMap<string, DerivedTag> = new Map<string, DerivedTag>([
  [
    'error',
    {
      has: ({ status, attributes }, value) =>
        value === String(status.code === 'error') && !Object.hasOwn(attributes, 'error'),
      foundBy: (value) => (value === 'false' ? 'nothing' : { key: 'error' }),
    },
  ],
  ['span.kind', { has: ({ kind }, value) => kind === value, foundBy: () => 'kind' }],
  [
    'otel.status_code',
    {
      has: ({ status }, value) => status.code !== 'unset' && status.code.toUpperCase() === value,
      foundBy: under('otel.status_code'),
    },
  ],
  [
    'otel.status_description',
    { has: ({ status }, value) => status.message === value, foundBy: under('otel.status_description') },
  ],
  ['otel.scope.name', SCOPE_NAME],
  ['otel.library.name', SCOPE_NAME],
  ['otel.scope.version', SCOPE_VERSION],
  ['otel.library.version', SCOPE_VERSION],
  ['w3c.tracestate', { has: ({ traceState }, value) => traceState === value, foundBy: under('w3c.tracestate') }],
]);

export function derivedTag(key: string): DerivedTag | undefined {
  return DERIVED_TAGS.get(key);
}

const ERROR = hashTag('error', 'true');
const STATUS_CODE = { ok: hashTag('otel.status_code', 'OK'), error: hashTag('otel.status_code', 'ERROR') };

/** Adds what is derived from a span's Status message. */
export function addStatusTags(prints: TagPrintsBuilder, status: ProtobufReader): void {
  const { code, message } = readStatus(status);
  if (code !== 'unset') prints.addTag(STATUS_CODE[code]);
  if (code === 'error') prints.addTag(ERROR);
  if (message !== '') prints.addTag(hashTag('otel.status_description', message));
}

export function addTraceStateTag(prints: TagPrintsBuilder, traceState: string): void {
  if (traceState !== '') prints.addTag(hashTag('w3c.tracestate', traceState));
}

/** The tags of scopes, hashed once each. */
export class ScopeTags {
  readonly #tags: (readonly number[])[] = [];

  add(prints: TagPrintsBuilder, id: number, catalog: SpanCatalog): void {
    let tags = this.#tags[id];
    if (!tags) {
      const { name = '', version = '' } = catalog.scopes[id]?.scope ?? {};
      tags = [
        ...(name === '' ? [] : [hashTag('otel.scope.name', name)]),
        ...(version === '' ? [] : [hashTag('otel.scope.version', version)]),
      ];
      this.#tags[id] = tags;
    }
    for (const tag of tags) prints.addTag(tag);
  }
}
