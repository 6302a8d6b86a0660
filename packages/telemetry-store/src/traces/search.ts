import { type Attributes, type AttributeValue, type Span, serviceOf, type TraceSearch } from '@kind-e2e/telemetry';
import { attributeText } from './attribute-codec.ts';
import { bodyHasTag, type WantedTag, wantedTag } from './body-tag.ts';
import type { SpanCatalog } from './catalog.ts';
import type { Block, TracesFile } from './file.ts';
import { spansOfHead } from './group-codec.ts';
import type { SpanHead } from './head.ts';
import { hashTag, mayHaveTag, type TagHash } from './tag-filter.ts';

/** Tags that Jaeger shows but that are no attributes; a filter of tags knows nothing of them. */
const DERIVED_TAGS = new Set([
  'error',
  'span.kind',
  'otel.status_code',
  'otel.status_description',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'otel.library.version',
  'w3c.tracestate',
]);

/** A trace that holds a match, with what it is ordered by. */
interface Hit {
  readonly traceId: string;
  readonly rank: number;
}

interface Plan {
  readonly search: TraceSearch;
  readonly operations: Uint8Array;
  readonly startUs: number;
  readonly endUs: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly longest: boolean;
  readonly tags: readonly (readonly [string, string])[];
  /** Those of the tags that are attributes, as the blocks' filters know them. */
  readonly hashes: readonly TagHash[];
  /** Those that no resource has, so that a span without them in its own bytes does not match. */
  readonly own: readonly WantedTag[];
}

/** Something to search: a head or a sealed block. */
interface Segment {
  /** No span of it ranks higher. */
  readonly bound: number;
  search(plan: Plan, hits: Hits): void;
}

/** Ids of traces with a matching span, best first (newest start, or longest duration of a matching span). */
export function searchTraces(
  search: TraceSearch,
  catalog: SpanCatalog,
  heads: readonly SpanHead[],
  blocks: Iterable<Block>,
  file: TracesFile,
): string[] {
  const plan = planSearch(search, catalog);
  const segments: Segment[] = [];
  for (const head of heads) if (head.count > 0) segments.push(headSegment(head, plan));
  for (const block of blocks) {
    const segment = blockSegment(block, plan, catalog, file);
    if (segment) segments.push(segment);
  }
  segments.sort((a, b) => b.bound - a.bound);
  const hits = new Hits(Math.max(0, search.limit));
  for (const segment of segments) {
    if (hits.isBelow(segment.bound)) break;
    segment.search(plan, hits);
  }
  return hits.best();
}

function planSearch(search: TraceSearch, catalog: SpanCatalog): Plan {
  const operations = new Uint8Array(catalog.operations.length);
  for (const operation of catalog.operations) {
    if (search.service !== undefined && operation.service !== search.service) continue;
    // An operation without a name stands for many; its spans are looked at one by one.
    if (search.operation !== undefined && operation.name !== undefined && operation.name !== search.operation) continue;
    operations[operation.id] = 1;
  }
  const tags = Object.entries(search.tags ?? {});
  const attributes = tags.filter(([key]) => !DERIVED_TAGS.has(key));
  return {
    search,
    operations,
    startUs: Number(search.startNs) / 1000 - 1,
    endUs: Number(search.endNs) / 1000 + 1,
    minNs: search.minDurationNs === undefined ? -Infinity : Number(search.minDurationNs),
    maxNs: search.maxDurationNs === undefined ? Infinity : Number(search.maxDurationNs),
    longest: search.order === 'longest',
    tags,
    hashes: attributes.map(([key, value]) => hashTag(key, value)),
    own: attributes
      .filter(([key, value]) => !catalog.resources.some(({ resource }) => holds(resource.attributes, key, value)))
      .map(([key, value]) => wantedTag(key, value)),
  };
}

/** The best traces so far. */
class Hits {
  readonly #limit: number;
  readonly #byTrace = new Map<string, number>();
  #least = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether nothing of this rank can be among the best any more. */
  isBelow(rank: number): boolean {
    return this.#byTrace.size >= this.#limit && rank <= this.#least;
  }

  add({ traceId, rank }: Hit): void {
    const known = this.#byTrace.get(traceId);
    if (known !== undefined && known >= rank) return;
    this.#byTrace.set(traceId, rank);
    if (this.#byTrace.size < this.#limit) return;
    let worst = '';
    this.#least = Infinity;
    let second = Infinity;
    for (const [id, value] of this.#byTrace)
      if (value < this.#least) {
        second = this.#least;
        this.#least = value;
        worst = id;
      } else if (value < second) second = value;
    if (this.#byTrace.size <= this.#limit) return;
    this.#byTrace.delete(worst);
    this.#least = second;
  }

  best(): string[] {
    return [...this.#byTrace].sort((a, b) => b[1] - a[1]).map(([id]) => id);
  }
}

interface Rows {
  readonly count: number;
  readonly operation: Uint32Array;
  readonly startUs: Float64Array;
  readonly durationNs: Float64Array;
}

/** Rows that pass what the columns tell, best first. */
function candidates(rows: Rows, plan: Plan, hits: Hits): number[] {
  const { operations, startUs, endUs, minNs, maxNs, longest } = plan;
  const found: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    const start = rows.startUs[row] ?? 0;
    const duration = rows.durationNs[row] ?? 0;
    if (operations[rows.operation[row] ?? 0] !== 1 || start < startUs || start > endUs) continue;
    if (duration < minNs || duration > maxNs || hits.isBelow(longest ? duration : start)) continue;
    found.push(row);
  }
  const rank = longest ? rows.durationNs : rows.startUs;
  return found.sort((a, b) => (rank[b] ?? 0) - (rank[a] ?? 0));
}

function headSegment(head: SpanHead, plan: Plan): Segment {
  return {
    bound: plan.longest ? Infinity : head.maxStartUs,
    search(_plan, hits) {
      const decoded = new Map<number, Span[]>();
      for (const row of candidates(head, plan, hits)) {
        const rank = (plan.longest ? head.durationNs[row] : head.startUs[row]) ?? 0;
        if (hits.isBelow(rank)) return;
        const trace = head.trace[row] ?? 0;
        const traceId = Buffer.from(head.traceIds[trace] ?? '', 'latin1').toString('hex');
        if (isCertain(head.startUs[row] ?? 0, head.operation[row] ?? 0, plan, head.catalog)) {
          hits.add({ traceId, rank });
          continue;
        }
        const bytes = head.buffers[head.buffer[row] ?? 0];
        const at = head.at[row] ?? 0;
        const end = head.end[row] ?? 0;
        if (bytes && !plan.own.every((tag) => bodyHasTag(bytes, at, end, tag))) continue;
        let spans = decoded.get(trace);
        if (!spans) {
          spans = spansOfHead(head, trace);
          decoded.set(trace, spans);
        }
        if (spans.some((span) => matchesSpan(span, plan))) hits.add({ traceId, rank });
      }
    },
  };
}

function blockSegment(block: Block, plan: Plan, catalog: SpanCatalog, file: TracesFile): Segment | undefined {
  const { summary } = block;
  if (summary.maxStartUs < plan.startUs || summary.minStartUs > plan.endUs) return undefined;
  let bound = -Infinity;
  for (const [id, operation] of summary.operations) {
    if (plan.operations[id] !== 1) continue;
    if (operation.maxStartUs < plan.startUs || operation.minStartUs > plan.endUs) continue;
    if (operation.maxDurationNs < plan.minNs || operation.minDurationNs > plan.maxNs) continue;
    bound = Math.max(bound, plan.longest ? Math.min(operation.maxDurationNs, plan.maxNs) : operation.maxStartUs);
  }
  if (bound === -Infinity) return undefined;
  return {
    bound,
    search(_plan, hits) {
      if (!mayHoldTags(block, plan, file)) return;
      const columns = file.columns(block.id);
      if (!columns) return;
      const decoded = new Map<number, Span[]>();
      for (const row of candidates({ count: columns.operation.length, ...columns }, plan, hits)) {
        const rank = (plan.longest ? columns.durationNs[row] : columns.startUs[row]) ?? 0;
        if (hits.isBelow(rank)) return;
        const trace = columns.trace[row] ?? 0;
        if (isCertain(columns.startUs[row] ?? 0, columns.operation[row] ?? 0, plan, catalog)) {
          const found = file.group(block.id, columns.traceGroup[trace] ?? 0)?.traces[columns.traceInGroup[trace] ?? 0];
          if (found) hits.add({ traceId: found.traceId.toString('hex'), rank });
          continue;
        }
        const group = file.group(block.id, columns.traceGroup[trace] ?? 0);
        if (group && plan.own.length > 0) {
          const place = row - (columns.traceFirstRow[trace] ?? 0);
          const first = group.traces[columns.traceInGroup[trace] ?? 0]?.firstRow ?? 0;
          if (!plan.own.every((tag) => group.hasTag(first + place, tag))) continue;
        }
        let spans = decoded.get(trace);
        if (!spans) {
          spans = group?.spans(columns.traceInGroup[trace] ?? 0, catalog) ?? [];
          decoded.set(trace, spans);
        }
        const [first] = spans;
        if (first && spans.some((span) => matchesSpan(span, plan))) hits.add({ traceId: first.traceId, rank });
      }
    },
  };
}

/** Whether the columns alone tell that a row matches: no tags, a name that is known, a start that is no border case. */
function isCertain(startUs: number, operation: number, plan: Plan, catalog: SpanCatalog): boolean {
  if (plan.tags.length > 0 || startUs < plan.startUs + 3 || startUs > plan.endUs - 3) return false;
  return plan.search.operation === undefined || catalog.operations[operation]?.name !== undefined;
}

function mayHoldTags(block: Block, plan: Plan, file: TracesFile): boolean {
  return plan.hashes.every((tag) => {
    const part = file.tagFilter(block.id, tag.part);
    return !part || mayHaveTag(part, tag);
  });
}

/** Whether one span meets every condition of the search. */
export function matchesSpan(span: Span, plan: Pick<Plan, 'search' | 'tags'>): boolean {
  const { search, tags } = plan;
  if (search.service !== undefined && serviceOf(span) !== search.service) return false;
  if (search.operation !== undefined && span.name !== search.operation) return false;
  if (span.startTimeUnixNano < search.startNs || span.startTimeUnixNano > search.endNs) return false;
  const duration = span.endTimeUnixNano - span.startTimeUnixNano;
  if (search.minDurationNs !== undefined && duration < search.minDurationNs) return false;
  if (search.maxDurationNs !== undefined && duration > search.maxDurationNs) return false;
  return tags.every(([key, value]) => hasTag(span, key, value));
}

function hasTag(span: Span, key: string, value: string): boolean {
  if (holds(span.attributes, key, value) || holds(span.resource.attributes, key, value)) return true;
  if (span.events.some((event) => holds(event.attributes, key, value))) return true;
  switch (key) {
    case 'error':
      return value === String(span.status.code === 'error') && !('error' in span.attributes);
    case 'span.kind':
      return span.kind === value;
    case 'otel.status_code':
      return span.status.code !== 'unset' && span.status.code.toUpperCase() === value;
    case 'otel.status_description':
      return span.status.message === value;
    case 'otel.scope.name':
    case 'otel.library.name':
      return span.scope.name === value;
    case 'otel.scope.version':
    case 'otel.library.version':
      return span.scope.version === value;
    case 'w3c.tracestate':
      return span.traceState === value;
    default:
      return false;
  }
}

function holds(attributes: Attributes, key: string, value: string): boolean {
  const own: AttributeValue | undefined = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  return own !== undefined && attributeText(own) === value;
}
