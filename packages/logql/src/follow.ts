import { type LabelMatcher, Labels, type LogEntry } from '@kind-e2e/telemetry';
import { LabelsCache } from './pipeline/line-labels.ts';
import { type CompiledPipeline, newLine, resetLine, runStages } from './pipeline/pipeline.ts';
import type { StreamResult } from './results.ts';
import type { LogExpr } from './syntax/ast.ts';

/** A log query over lines as they come, for the live tail. */
export interface Follower {
  readonly matchers: readonly LabelMatcher[];
  /** What the query makes of new lines of a stream that its matchers select, grouped by their labels. */
  process(stream: Labels, entries: readonly LogEntry[]): readonly StreamResult[];
}

export function createFollower(expr: LogExpr, pipeline: CompiledPipeline): Follower {
  const cache = new LabelsCache();
  const line = newLine();
  return {
    matchers: expr.matchers,
    process(stream, entries) {
      const results = new Map<string, StreamResult & { readonly entries: { timestampNs: bigint; line: string }[] }>();
      for (const { line: text, timestampNs, structuredMetadata } of entries) {
        if (!pipeline.filters.every((filter) => filter.test(text))) continue;
        resetLine(line, text, timestampNs, stream, structuredMetadata ?? Labels.EMPTY);
        if (!runStages(pipeline.stages, line)) continue;
        const labels = line.labels.result(cache);
        let result = results.get(labels.key);
        if (result === undefined) {
          result = { labels, categories: line.labels.categories(), entries: [] };
          results.set(labels.key, result);
        }
        result.entries.push({ timestampNs, line: line.text });
      }
      return [...results.values()];
    },
  };
}
