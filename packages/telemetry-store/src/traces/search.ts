import { type Attributes, type AttributeValue, type Span, serviceOf, type TraceSearch } from '@kind-e2e/telemetry';
import { attributeText } from './attribute-codec.ts';
import { bodyHasTag, type WantedTag, wantedTag } from './body-tag.ts';
import type { SpanCatalog } from './catalog.ts';
import type { Block, TracesFile } from './file.ts';
import { type SpanGroup, spansOfHead } from './group-codec.ts';
import type { SpanHead } from './head.ts';
import { hashTag, WantedPrints } from './tag-prints.ts';

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
  /** Those of the tags that are attributes. */
  readonly attributes: readonly WantedAttribute[];
  /** Of each tag of which blocks say in which groups it is: prints of which a group with it has one. */
  readonly prints: readonly (readonly WantedPrints[])[];
}

/** A span has it in its own bytes, or one of these resources. */
interface WantedAttribute {
  readonly tag: WantedTag;
  readonly resources: ReadonlySet<number>;
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
  const wanted = [...operations.keys()].filter((id) => operations[id] === 1);
  const resourcesOf = ([key, value]: readonly [string, string]): ReadonlySet<number> =>
    new Set(catalog.resources.flatMap(({ id, resource }) => (holds(resource.attributes, key, value) ? [id] : [])));
  const attributes = tags
    .filter(([key]) => !DERIVED_TAGS.has(key))
    .map((tag) => ({ tag: wantedTag(...tag), resources: resourcesOf(tag) }));
  // Of the derived ones blocks know the one that is asked for most.
  const isPrinted = ([key, value]: readonly [string, string]): boolean =>
    !DERIVED_TAGS.has(key) || (key === 'error' && value === 'true');
  return {
    search,
    operations,
    startUs: Number(search.startNs) / 1000 - 1,
    endUs: Number(search.endNs) / 1000 + 1,
    minNs: search.minDurationNs === undefined ? -Infinity : Number(search.minDurationNs),
    maxNs: search.maxDurationNs === undefined ? Infinity : Number(search.maxDurationNs),
    longest: search.order === 'longest',
    tags,
    attributes,
    prints: tags.filter(isPrinted).map((tag) => {
      const resources = resourcesOf(tag);
      const own = WantedPrints.ofTag(hashTag(...tag), wanted);
      return resources.size === 0 ? [own] : [own, WantedPrints.ofResources(resources, wanted)];
    }),
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
  readonly operation: ArrayLike<number>;
  readonly startUs: ArrayLike<number>;
  readonly durationNs: ArrayLike<number>;
}

/** Rows that pass what the columns tell, best first. */
function candidates(rows: Rows, count: number, plan: Plan, hits: Hits): number[] {
  const { operations, startUs, endUs, minNs, maxNs, longest } = plan;
  const found: number[] = [];
  for (let row = 0; row < count; row++) {
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
      for (const row of candidates(head, head.count, plan, hits)) {
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
        const resource = head.resource[row] ?? 0;
        if (
          !bytes ||
          !plan.attributes.every(({ tag, resources }) => resources.has(resource) || bodyHasTag(bytes, at, end, tag))
        )
          continue;
        let spans = decoded.get(trace);
        if (!spans) {
          spans = spansOfHead(head, trace);
          decoded.set(trace, spans);
        }
        const span = spans[[...head.rowsOf(trace)].indexOf(row)];
        if (span && matchesSpan(span, plan)) hits.add({ traceId, rank });
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
      for (const { group, bound } of wantedGroups(block, plan, file)) {
        if (hits.isBelow(bound)) return;
        const opened = file.group(block.id, group);
        if (opened) searchGroup(opened, plan, catalog, hits);
      }
    },
  };
}

/** Groups that may hold a match, those first that may hold the best. */
function wantedGroups(block: Block, plan: Plan, file: TracesFile): { group: number; bound: number }[] {
  const index = file.index(block.id);
  const may = new Uint8Array(index.groups).fill(1);
  for (const anyOf of plan.prints) {
    const marks = new Uint8Array(index.groups);
    for (const prints of anyOf) file.markGroups(block.id, prints, marks);
    for (let group = 0; group < index.groups; group++) may[group] = (may[group] ?? 0) & (marks[group] ?? 0);
  }
  const found: { group: number; bound: number }[] = [];
  for (let group = 0; group < index.groups; group++) {
    if (may[group] !== 1) continue;
    const newest = index.maxStartUs[group] ?? 0;
    if (newest < plan.startUs || (index.minStartUs[group] ?? 0) > plan.endUs) continue;
    const longest = index.longest(group, plan.operations, plan.minNs, plan.maxNs);
    if (longest !== -Infinity) found.push({ group, bound: plan.longest ? longest : newest });
  }
  return found.sort((a, b) => b.bound - a.bound);
}

function searchGroup(group: SpanGroup, plan: Plan, catalog: SpanCatalog, hits: Hits): void {
  const decoded = new Map<number, Span[]>();
  for (const row of candidates(group, group.rows, plan, hits)) {
    const rank = (plan.longest ? group.durationNs[row] : group.startUs[row]) ?? 0;
    if (hits.isBelow(rank)) return;
    const place = group.trace[row] ?? 0;
    const trace = group.traces[place];
    if (!trace) continue;
    if (!isCertain(group.startUs[row] ?? 0, group.operation[row] ?? 0, plan, catalog)) {
      const resource = group.resource[row] ?? 0;
      if (!plan.attributes.every(({ tag, resources }) => resources.has(resource) || group.hasTag(row, tag))) continue;
      let spans = decoded.get(place);
      if (!spans) {
        spans = group.spans(place, catalog);
        decoded.set(place, spans);
      }
      const span = spans[row - trace.firstRow];
      if (!span || !matchesSpan(span, plan)) continue;
    }
    hits.add({ traceId: trace.traceId.toString('hex'), rank });
  }
}

/** Whether the columns alone tell that a row matches: no tags, a name that is known, a start that is no border case. */
function isCertain(startUs: number, operation: number, plan: Plan, catalog: SpanCatalog): boolean {
  if (plan.tags.length > 0 || startUs < plan.startUs + 3 || startUs > plan.endUs - 3) return false;
  return plan.search.operation === undefined || catalog.operations[operation]?.name !== undefined;
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
