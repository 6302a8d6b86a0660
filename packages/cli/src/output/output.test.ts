import { LabError } from '@kind-e2e/base';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { report } from '../main.ts';
import { formatBytes, formatDuration, table } from './table.ts';
import { type JaegerSpan, renderTrace } from './trace-tree.ts';

function span(spanID: string, parent: string, name: string, startTime: number, duration: number): JaegerSpan {
  return {
    spanID,
    operationName: name,
    startTime,
    duration,
    processID: 'p1',
    references: parent === '' ? [] : [{ refType: 'CHILD_OF', spanID: parent }],
  };
}

describe('renderTrace', () => {
  it('draws the tree in order of time, with a bar for when each span ran', () => {
    const text = renderTrace(
      {
        traceID: 'abc',
        processes: { p1: { serviceName: 'svc' } },
        spans: [
          span('3', '1', 'second', 50_000, 50_000),
          span('2', '1', 'first', 0, 50_000),
          span('4', '2', 'deep', 25_000, 25_000),
          span('1', '', 'root', 0, 100_000),
        ],
      },
      80,
    );
    expect(text.split('\n')).toEqual([
      'abc  100 ms, 4 spans, 1 services',
      expect.stringMatching(/^svc: root +100 ms {2}█{22}$/),
      expect.stringMatching(/^├ svc: first +50\.0 ms {2}█{11}$/),
      expect.stringMatching(/^│ └ svc: deep +25\.0 ms {2} {5}█{6}$/),
      expect.stringMatching(/^└ svc: second +50\.0 ms {2} {11}█{11}$/),
    ]);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('shows spans whose parent is missing, and cuts long names', () => {
    const text = renderTrace(
      { traceID: 'abc', processes: { p1: { serviceName: 'svc' } }, spans: [span('2', 'gone', 'x'.repeat(200), 0, 10)] },
      60,
    );
    expect(text).toContain('…');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe('table', () => {
  it('aligns numbers right and pads the rest', () => {
    expect(
      table(
        ['NAME', 'COUNT', 'NOTE'],
        [
          ['a', '5', 'x'],
          ['long', '12', ''],
        ],
        { right: new Set([1]) },
      ),
    ).toBe('NAME  COUNT  NOTE\na         5  x\nlong     12');
  });

  it('keeps to the width of the terminal, ids whole', () => {
    const text = table(['ID', 'NAME', 'NOTE'], [['f'.repeat(32), 'n'.repeat(50), 'a\nb']], {
      columns: 60,
      whole: new Set([0]),
    });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(text).toContain('f'.repeat(32));
    expect(text).toContain('n…');
    expect(text).toContain('a↵b');
  });

  it('always shows units', () => {
    expect([formatBytes(0), formatBytes(1_500), formatBytes(123_456_789)]).toEqual(['0 B', '1.5 kB', '123 MB']);
    expect([formatDuration(0.0874), formatDuration(12.44), formatDuration(345.6), formatDuration(3_021)]).toEqual([
      '87 µs',
      '12.4 ms',
      '346 ms',
      '3.02 s',
    ]);
  });
});

describe('report', () => {
  const run = (error: unknown): { code: number; text: string } => {
    const lines: string[] = [];
    return { code: report(error, (line) => lines.push(line)), text: lines.join('\n') };
  };

  it('tells what the user can mend from wrong usage and from our fault', () => {
    const mendable = new LabError('port taken', { code: 'PORT_TAKEN', side: 'user', remedy: 'choose another' });
    expect(run(mendable)).toEqual({ code: 1, text: 'error: port taken\n  what to do: choose another' });
    expect(run(new LabError('what?', { code: 'X', side: 'usage' })).code).toBe(2);
    expect(run(new CommanderError(1, 'commander.unknownOption', 'unknown')).code).toBe(2);
    expect(run(new CommanderError(0, 'commander.helpDisplayed', '(help)')).code).toBe(0);
    expect(run(new TypeError('oops'))).toMatchObject({ code: 70, text: expect.stringContaining('please report it') });
  });
});
