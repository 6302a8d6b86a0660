import type { Labels } from '@kind-e2e/telemetry';
import { createEngine, LogqlError, type QueryValue } from '../src/index.ts';
import { formatGoDuration } from '../src/syntax/index.ts';
import type { Command, EvalCommand } from './corpus-syntax.ts';
import type { MemoryReader } from './memory-reader.ts';

const engine = createEngine({ shardAggregations: ['approx_topk'] });

function labelsText(labels: Labels): string {
  return `{${[...labels].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}

function numberText(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function valueLines(command: EvalCommand, value: QueryValue): string[] {
  switch (value.type) {
    case 'scalar':
      return [numberText(value.value)];
    case 'vector':
      return value.samples.map((sample) => `${labelsText(sample.labels)} ${numberText(sample.value)}`);
    case 'streams':
      return value.streams.flatMap(({ labels, entries }) =>
        entries.map(
          ({ timestampNs, line }) =>
            `${labelsText(labels)} ${formatGoDuration(timestampNs)} ${line.replaceAll('\n', '\\n')}`,
        ),
      );
    case 'matrix':
      return value.series.map(({ labels, timestamps, values }) => {
        const cells: string[] = [];
        const startMs = Number(command.startNs) / 1e6;
        const stepMs = Number(command.stepNs ?? 1n) / 1e6;
        timestamps.forEach((time, i) => {
          const step = Math.round((time - startMs) / stepMs);
          while (cells.length < step) cells.push('_');
          cells.push(numberText(values[i] ?? Number.NaN));
        });
        return `${labelsText(labels)} ${cells.join(' ')}`;
      });
  }
}

export function apply(reader: MemoryReader, command: Exclude<Command, EvalCommand>): void {
  if (command.kind === 'clear') {
    reader.clear();
    return;
  }
  reader.add(
    command.labels,
    command.lines.map(({ text, metadata }, i) => ({
      timestampNs: BigInt(i) * command.stepNs,
      line: text,
      ...(metadata === undefined ? {} : { structuredMetadata: metadata }),
    })),
  );
}

/** The lines that belong below an `eval`. */
export async function runEval(reader: MemoryReader, command: EvalCommand): Promise<string[]> {
  const { query, startNs, endNs, stepNs, logs } = command;
  try {
    const result =
      endNs === undefined
        ? await engine.instant(reader, query, startNs)
        : await engine.range(reader, query, startNs, endNs, stepNs ?? 1n, logs ?? {});
    return valueLines(command, result.value);
  } catch (error) {
    if (error instanceof LogqlError) return [`expect fail msg: ${error.message.trim().replaceAll('\n', '\\n')}`];
    throw error;
  }
}

function near(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [a, b].map((text) => Number(text.replace('Inf', 'Infinity'))) as [number, number];
  if (Number.isNaN(left) || Number.isNaN(right)) return false;
  return Math.abs(left - right) <= 1e-9 * Math.max(1e-9, Math.abs(left), Math.abs(right));
}

function sameLine(want: string, got: string): boolean {
  if (want === got) return true;
  const split = (line: string): [string, string[]] => {
    const at = line.startsWith('{') ? line.lastIndexOf('} ') + 1 : 0;
    return [line.slice(0, at), line.slice(at).trim().split(' ')];
  };
  const [wantLabels, wantCells] = split(want);
  const [gotLabels, gotCells] = split(got);
  return (
    wantLabels === gotLabels &&
    wantCells.length === gotCells.length &&
    wantCells.every((cell, i) => near(cell, gotCells[i] ?? ''))
  );
}

/** What is wrong with the outcome, or undefined. */
export function compare(command: EvalCommand, actual: readonly string[]): string | undefined {
  const { expected } = command;
  if (expected.length === 1 && expected[0] === 'expect fail')
    return actual[0]?.startsWith('expect fail') ? undefined : `wanted a failure, got ${actual.join(' | ')}`;
  const left = [...actual];
  for (const want of expected) {
    const at = left.findIndex((got) => sameLine(want, got));
    if (at < 0) return `wanted ${want}\n    got ${actual.join('\n        ')}`;
    left.splice(at, 1);
  }
  return left.length === 0 ? undefined : `did not want ${left.join(' | ')}`;
}
