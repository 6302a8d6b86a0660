import { cut, formatDuration } from './table.ts';

/** The parts of Jaeger's trace JSON that the terminal shows; times in microseconds. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

export interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly processID: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
}

const BAR_SHARE = 0.28;
const MIN_BAR = 10;

/** The spans as a tree, each with its time and a bar of when in the trace it ran. */
export function renderTrace(trace: JaegerTrace, columns: number): string {
  const start = Math.min(...trace.spans.map((span) => span.startTime));
  const end = Math.max(...trace.spans.map((span) => span.startTime + span.duration));
  const rows = orderedRows(trace);
  const barWidth = Math.max(MIN_BAR, Math.floor(columns * BAR_SHARE));
  const timeWidth = Math.max(...trace.spans.map((span) => formatDuration(span.duration / 1_000).length));
  const labelWidth = Math.max(20, columns - barWidth - timeWidth - 4);
  const services = new Set(trace.spans.map((span) => trace.processes[span.processID]?.serviceName));
  const head = `${trace.traceID}  ${formatDuration((end - start) / 1_000)}, ${trace.spans.length} spans, ${services.size} services`;
  const lines = rows.map(({ span, prefix }) => {
    const service = trace.processes[span.processID]?.serviceName ?? '?';
    const failed = span.tags?.some((tag) => tag.key === 'error' && tag.value === true) ? ' ✖' : '';
    const label = cut(`${prefix}${service}: ${span.operationName}${failed}`, labelWidth);
    const time = formatDuration(span.duration / 1_000).padStart(timeWidth);
    return `${label.padEnd(labelWidth)}  ${time}  ${bar(span, start, end, barWidth)}`.trimEnd();
  });
  return [head, ...lines].join('\n');
}

interface Row {
  readonly span: JaegerSpan;
  readonly prefix: string;
}

function orderedRows(trace: JaegerTrace): readonly Row[] {
  const known = new Set(trace.spans.map((span) => span.spanID));
  const children = new Map<string, JaegerSpan[]>();
  for (const span of trace.spans) {
    const parent = span.references.find((reference) => reference.refType === 'CHILD_OF')?.spanID ?? '';
    const key = known.has(parent) ? parent : '';
    children.set(key, [...(children.get(key) ?? []), span]);
  }
  const rows: Row[] = [];
  const visit = (parent: string, indent: string): void => {
    const spans = (children.get(parent) ?? []).toSorted((a, b) => a.startTime - b.startTime);
    for (const [index, span] of spans.entries()) {
      const last = index === spans.length - 1;
      const isRoot = parent === '';
      rows.push({ span, prefix: isRoot ? '' : `${indent}${last ? '└ ' : '├ '}` });
      visit(span.spanID, isRoot ? '' : `${indent}${last ? '  ' : '│ '}`);
    }
  };
  visit('', '');
  return rows;
}

function bar(span: JaegerSpan, start: number, end: number, width: number): string {
  const total = Math.max(1, end - start);
  const from = Math.min(width - 1, Math.floor(((span.startTime - start) / total) * width));
  const length = Math.max(1, Math.min(width - from, Math.round((span.duration / total) * width)));
  return ' '.repeat(from) + '█'.repeat(length);
}
