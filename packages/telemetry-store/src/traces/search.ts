import type { Span, TraceSearch } from '@kind-e2e/telemetry';
import { bodyHasTag, type WantedTag, wantedTag } from './body-tag.ts';
import type { SpanCatalog } from './catalog.ts';
import { derivedTag } from './derived-tags.ts';
import type { Block, TracesFile } from './file.ts';
import { type SpanGroup, spanOfHead } from './group-codec.ts';
import type { GroupIndex } from './group-index.ts';
import type { SpanHead } from './head.ts';
import { holds, matchesSpan } from './match-span.ts';
import { hashTag } from './tag-hash.ts';
import { GroupMarks, WantedPrints } from './wanted-prints.ts';

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
  /** Of each tag of which blocks say where it is. */
  readonly conditions: readonly TagCondition[];
}

/** What a span with a certain tag has: one of these prints, or one of these operations. */
interface TagCondition {
  readonly prints: readonly WantedPrints[];
  readonly operations: Uint8Array | undefined;
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
  search(hits: Hits): void;
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
    segment.search(hits);
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
    .filter(([key]) => !derivedTag(key))
    .map((tag) => ({ tag: wantedTag(...tag), resources: resourcesOf(tag) }));
  const conditionOf = (tag: readonly [string, string]): TagCondition[] => {
    const [key, value] = tag;
    const foundBy = derivedTag(key)?.foundBy(value);
    if (foundBy === 'nothing') return [];
    const prints = [WantedPrints.ofTag(hashTag(key, value), wanted)];
    if (typeof foundBy === 'object' && foundBy.key !== key)
      prints.push(WantedPrints.ofTag(hashTag(foundBy.key, value), wanted));
    const resources = resourcesOf(tag);
    if (resources.size > 0) prints.push(WantedPrints.ofResources(resources, wanted));
    const ofKind =
      foundBy === 'kind'
        ? Uint8Array.from(catalog.operations, ({ id, kind }) => (operations[id] === 1 && kind === value ? 1 : 0))
        : undefined;
    return [{ prints, operations: ofKind }];
  };
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
    conditions: tags.flatMap(conditionOf),
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

/** The columns of a head or a group, and what they do not tell of a row. */
interface Rows {
  readonly count: number;
  readonly operation: ArrayLike<number>;
  readonly resource: ArrayLike<number>;
  readonly startUs: ArrayLike<number>;
  readonly durationNs: ArrayLike<number>;
  traceIdOf(row: number): string;
  /** Whether the span itself has the tag, without decoding it. */
  hasTag(row: number, tag: WantedTag): boolean;
  spanOf(row: number): Span | undefined;
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
    search: (hits) => searchRows(rowsOfHead(head), plan, head.catalog, hits),
  };
}

function rowsOfHead(head: SpanHead): Rows {
  const { count, operation, resource, startUs, durationNs } = head;
  return {
    ...{ count, operation, resource, startUs, durationNs },
    traceIdOf: (row) => head.traceIdOf(row),
    hasTag(row, tag) {
      const bytes = head.buffers[head.buffer[row] ?? 0];
      return bytes !== undefined && bodyHasTag(bytes, head.at[row] ?? 0, head.end[row] ?? 0, tag);
    },
    spanOf: (row) => spanOfHead(head, row),
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
    search(hits) {
      const index = file.index(block.id);
      const marks = markedGroups(block, plan, file, index);
      if (marks?.isEmpty) return;
      for (const { group, bound } of wantedGroups(index, plan, marks)) {
        if (hits.isBelow(bound)) return;
        const opened = file.group(block.id, group);
        if (opened)
          searchRows(rowsOfGroup(opened, catalog), plan, catalog, hits, (row) => marks?.has(group, row) !== false);
      }
    },
  };
}

/** Groups that may hold a match, those first that may hold the best. */
function wantedGroups(
  index: GroupIndex,
  plan: Plan,
  marks: GroupMarks | undefined,
): { group: number; bound: number }[] {
  const found: { group: number; bound: number }[] = [];
  for (let group = 0; group < index.groups; group++) {
    const longestMarked = marks?.longest(group) ?? Infinity;
    if (longestMarked < plan.minNs || longestMarked === -Infinity) continue;
    const newest = index.maxStartUs[group] ?? 0;
    if (newest < plan.startUs || (index.minStartUs[group] ?? 0) > plan.endUs) continue;
    const longest = index.longest(group, plan.operations, plan.minNs, plan.maxNs);
    if (longest === -Infinity) continue;
    found.push({ group, bound: plan.longest ? Math.min(longest, longestMarked) : newest });
  }
  return found.sort((a, b) => b.bound - a.bound);
}

/** What the block says of the wanted tags; undefined where none is wanted of which it says anything. */
function markedGroups(block: Block, plan: Plan, file: TracesFile, index: GroupIndex): GroupMarks | undefined {
  let all: GroupMarks | undefined;
  for (const { prints, operations } of plan.conditions) {
    const marks = new GroupMarks(index.groups);
    for (const wanted of prints) file.markGroups(block.id, wanted, marks);
    if (operations)
      for (let group = 0; group < index.groups; group++)
        if (index.longest(group, operations, -Infinity, Infinity) !== -Infinity) marks.addAll(group);
    if (all) all.keep(marks);
    else all = marks;
    if (all.isEmpty) break;
  }
  return all;
}

function rowsOfGroup(group: SpanGroup, catalog: SpanCatalog): Rows {
  const { rows, operation, resource, startUs, durationNs } = group;
  // A trace is decoded as a whole.
  const decoded = new Map<number, Span[]>();
  return {
    ...{ count: rows, operation, resource, startUs, durationNs },
    traceIdOf: (row) => group.traces[group.trace[row] ?? 0]?.traceId.toString('hex') ?? '',
    hasTag: (row, tag) => group.hasTag(row, tag),
    spanOf(row) {
      const place = group.trace[row] ?? 0;
      let spans = decoded.get(place);
      if (!spans) {
        spans = group.spans(place, catalog);
        decoded.set(place, spans);
      }
      return spans[row - (group.traces[place]?.firstRow ?? 0)];
    },
  };
}

function searchRows(
  rows: Rows,
  plan: Plan,
  catalog: SpanCatalog,
  hits: Hits,
  mayMatch: (row: number) => boolean = () => true,
): void {
  for (const row of candidates(rows, plan, hits)) {
    if (!mayMatch(row)) continue;
    const rank = (plan.longest ? rows.durationNs[row] : rows.startUs[row]) ?? 0;
    if (hits.isBelow(rank)) return;
    if (!isCertain(rows.startUs[row] ?? 0, rows.operation[row] ?? 0, plan, catalog)) {
      const resource = rows.resource[row] ?? 0;
      if (!plan.attributes.every(({ tag, resources }) => resources.has(resource) || rows.hasTag(row, tag))) continue;
      const span = rows.spanOf(row);
      if (!span || !matchesSpan(span, plan)) continue;
    }
    hits.add({ traceId: rows.traceIdOf(row), rank });
  }
}

/** Whether the columns alone tell that a row matches: no tags, a name that is known, a start that is no border case. */
function isCertain(startUs: number, operation: number, plan: Plan, catalog: SpanCatalog): boolean {
  if (plan.tags.length > 0 || startUs < plan.startUs + 3 || startUs > plan.endUs - 3) return false;
  return plan.search.operation === undefined || catalog.operations[operation]?.name !== undefined;
}
