import { Labels, type LogDirection } from '@kind-e2e/telemetry';
import { LabelsCache } from '../pipeline/line-labels.ts';
import { marksOf, searchPacked } from '../pipeline/packed-search.ts';
import { type CompiledPipeline, newLine, resetLine, runStages } from '../pipeline/pipeline.ts';
import { ChunkText, scanChunk } from '../pipeline/scan.ts';
import type { StreamResult } from '../results.ts';
import type { LogExpr } from '../syntax/ast.ts';
import type { Evaluation } from './evaluation.ts';

export interface StreamsQuery {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly limit: number;
  readonly direction: LogDirection;
  readonly intervalNs: bigint;
}

/** Lines that go through stages before the clock is looked at. */
const PAUSE_EVERY_LINES = 32;

interface Entry {
  readonly timestampNs: bigint;
  readonly line: string;
  readonly labels: Labels;
  readonly categories: StreamResult['categories'];
  readonly order: number;
}

/** The lines of a log query: the newest (backward) or oldest (forward) up to the limit, grouped by their labels. */
export async function evaluateStreams(
  evaluation: Evaluation,
  expr: LogExpr,
  pipeline: CompiledPipeline,
  query: StreamsQuery,
): Promise<readonly StreamResult[]> {
  const { direction, limit, startNs, endNs } = query;
  const backward = direction === 'backward';
  const best = new BestEntries(limit, backward);
  const cache = new LabelsCache();
  const line = newLine();
  const lastKept = new Map<string, bigint>();
  const contains = pipeline.filters.flatMap(({ requires }) => (requires === undefined ? [] : [Buffer.from(requires)]));
  let order = 0;
  for (const whole of evaluation.reader.select({ matchers: expr.matchers, startNs, endNs, direction, contains })) {
    let chunk = whole;
    let { filters } = pipeline;
    const { packed } = whole;
    if (packed) {
      if (best.isBeyond(backward ? packed.maxNs : packed.minNs)) break;
      evaluation.lines += packed.count;
      evaluation.bytes += packed.textBytes;
      const matches = searchPacked(packed, filters);
      filters = matches.rest;
      const takesAll = filters.length === 0 && pipeline.stages.length === 0 && query.intervalNs === 0n;
      if (matches.count === 0) {
        if (evaluation.needsPause) await evaluation.pause();
        continue;
      }
      chunk = packed.take(marksOf(matches, packed, takesAll ? { most: limit, backward } : {}));
    }
    const { timestamps } = chunk;
    const edge = timestamps[backward ? timestamps.length - 1 : 0];
    if (edge === undefined) continue;
    if (!packed) {
      if (best.isBeyond(edge)) break;
      evaluation.lines += timestamps.length;
      evaluation.bytes += chunk.text.length;
    }
    const text = new ChunkText(chunk);
    const take = (index: number): boolean => {
      const timestampNs = timestamps[index] ?? 0n;
      if (best.isBeyond(timestampNs)) return false;
      if (timestampNs < startNs || timestampNs >= endNs) return true;
      const metadata = chunk.structuredMetadata?.[index] ?? Labels.EMPTY;
      resetLine(line, text.line(index), timestampNs, chunk.labels, metadata);
      if (!runStages(pipeline.stages, line)) return true;
      const labels = line.labels.result(cache);
      if (query.intervalNs > 0n) {
        const last = lastKept.get(labels.key);
        const gap = last === undefined ? query.intervalNs : backward ? last - timestampNs : timestampNs - last;
        if (gap < query.intervalNs) return true;
        lastKept.set(labels.key, timestampNs);
      }
      best.add({
        timestampNs,
        line: line.text,
        labels,
        categories: line.labels.categories(),
        order: order++,
      });
      return true;
    };
    if (pipeline.stages.length === 0) scanChunk(chunk, text, filters, backward, take);
    else {
      // Stages may take long, so that others must get their turn between lines.
      const matched: number[] = [];
      scanChunk(chunk, text, filters, backward, (index) => matched.push(index) > 0);
      for (const [i, index] of matched.entries()) {
        if (!take(index)) break;
        if (i % PAUSE_EVERY_LINES === 0 && evaluation.needsPause) await evaluation.pause();
      }
    }
    if (evaluation.needsPause) await evaluation.pause();
  }
  return groupEntries(best.sorted());
}

/** Keeps the best `limit` entries by time; of equal times those that came first. */
class BestEntries {
  readonly #limit: number;
  readonly #backward: boolean;
  #entries: Entry[] = [];
  #bound: bigint | undefined;

  constructor(limit: number, backward: boolean) {
    this.#limit = limit;
    this.#backward = backward;
  }

  /** Whether an entry of this time, and all that follow it in its chunk, cannot be among the best. */
  isBeyond(timestampNs: bigint): boolean {
    if (this.#bound === undefined) return false;
    return this.#backward ? timestampNs < this.#bound : timestampNs > this.#bound;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= Math.max(this.#limit * 2, this.#limit + 64)) this.#prune();
    else if (this.#bound === undefined && this.#entries.length === this.#limit) this.#prune();
  }

  #prune(): void {
    this.#sort();
    this.#entries.length = Math.min(this.#entries.length, this.#limit);
    if (this.#entries.length === this.#limit) this.#bound = this.#entries.at(-1)?.timestampNs;
  }

  #sort(): void {
    const sign = this.#backward ? -1 : 1;
    this.#entries.sort((a, b) => {
      if (a.timestampNs !== b.timestampNs) return a.timestampNs < b.timestampNs ? -sign : sign;
      return a.order - b.order;
    });
  }

  sorted(): readonly Entry[] {
    this.#sort();
    return this.#entries.slice(0, this.#limit);
  }
}

function groupEntries(entries: readonly Entry[]): readonly StreamResult[] {
  const streams = new Map<string, { labels: Labels; categories: StreamResult['categories']; entries: Entry[] }>();
  for (const entry of entries) {
    const known = streams.get(entry.labels.key);
    if (known === undefined)
      streams.set(entry.labels.key, { labels: entry.labels, categories: entry.categories, entries: [entry] });
    else known.entries.push(entry);
  }
  return [...streams.values()].map(({ labels, categories, entries: own }) => ({
    labels,
    categories,
    entries: own.map(({ timestampNs, line }) => ({ timestampNs, line })),
  }));
}
