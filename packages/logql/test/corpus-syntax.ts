/**
 * The syntax of `testdata/corpus/*.test`, after Prometheus' promqltest:
 *
 *     load {app="web"} step 10s
 *       | a line, as it is after the bar and one blank
 *       |{trace="1"} a line with structured metadata
 *     eval logs from 0 to 1m limit 10 forward {app="web"} |= "line"
 *       {app="web"} 0s a line, as it is after the bar and one blank
 *     eval instant at 1m count_over_time({app="web"}[1m])
 *       {app="web"} 2
 *     eval range from 0 to 2m step 1m sum(rate({app="web"}[1m]))
 *       {} _ 0.2
 *     eval instant at 1m rate(
 *       expect fail msg: parse error at line 1, col 6: syntax error: unexpected $end
 *     clear
 *
 * Lines of a `load` are `step` apart, the first at 0. Times of `eval logs` are durations after 0; a line feed in a line
 * is written `\n`. A scalar is a number alone. Results have no order, but lines of one stream keep theirs.
 */
import { Labels } from '@kind-e2e/telemetry';
import { parseDurationNs, parseQuery } from '../src/index.ts';

export interface LoadCommand {
  readonly kind: 'load';
  readonly labels: Labels;
  readonly stepNs: bigint;
  readonly lines: readonly { readonly text: string; readonly metadata?: Labels }[];
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly lineCount: number;
  readonly query: string;
  readonly startNs: bigint;
  /** Absent for an instant query. */
  readonly endNs?: bigint;
  readonly stepNs?: bigint;
  /** Present for log lines. */
  readonly logs?: { readonly limit: number; readonly direction: 'forward' | 'backward' };
  readonly expected: readonly string[];
}

export type Command = LoadCommand | EvalCommand | { readonly kind: 'clear' };

function duration(text: string): bigint {
  const ns = parseDurationNs(text);
  if (ns === undefined) throw new Error(`not a duration: ${text}`);
  return ns;
}

export function parseLabels(text: string): Labels {
  if (text === '{}') return Labels.EMPTY;
  const expr = parseQuery(text);
  if (expr.kind !== 'log') throw new Error(`not labels: ${text}`);
  return Labels.from(expr.matchers.map(({ name, value }) => [name, value] as const));
}

export function parseCorpus(text: string): Command[] {
  const lines = text.split('\n');
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; ) {
    const head = lines[i] ?? '';
    if (head.trim() === '' || head.startsWith('#')) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < lines.length && /^ {2}\S/.test(lines[end] ?? '')) end++;
    commands.push(
      parseCommand(
        head,
        lines.slice(i + 1, end).map((line) => line.slice(2)),
        i + 1,
        end - i,
      ),
    );
    i = end;
  }
  return commands;
}

function parseCommand(head: string, body: readonly string[], line: number, lineCount: number): Command {
  if (head === 'clear') return { kind: 'clear' };
  const load = /^load (\{.*\}) step (\S+)$/.exec(head);
  if (load) {
    const entries = body.map((one) => {
      const match = /^\|(\{.*?\})? ?(.*)$/.exec(one);
      const content = (match?.[2] ?? '').replaceAll('\\e', '\u001b');
      return match?.[1] === undefined ? { text: content } : { text: content, metadata: parseLabels(match[1]) };
    });
    return { kind: 'load', labels: parseLabels(load[1] ?? ''), stepNs: duration(load[2] ?? ''), lines: entries };
  }
  const base = { kind: 'eval' as const, line, lineCount, expected: body };
  const logs = /^eval logs from (\S+) to (\S+) limit (\d+) (forward|backward) (.*)$/.exec(head);
  if (logs) {
    const direction = logs[4] === 'forward' ? 'forward' : 'backward';
    return {
      ...base,
      query: logs[5] ?? '',
      startNs: duration(logs[1] ?? ''),
      endNs: duration(logs[2] ?? ''),
      logs: { limit: Number(logs[3]), direction },
    };
  }
  const range = /^eval range from (\S+) to (\S+) step (\S+) (.*)$/.exec(head);
  if (range)
    return {
      ...base,
      query: range[4] ?? '',
      startNs: duration(range[1] ?? ''),
      endNs: duration(range[2] ?? ''),
      stepNs: duration(range[3] ?? ''),
    };
  const instant = /^eval instant at (\S+) (.*)$/.exec(head);
  if (instant) return { ...base, query: instant[2] ?? '', startNs: duration(instant[1] ?? '') };
  throw new Error(`line ${line}: not a command: ${head}`);
}
