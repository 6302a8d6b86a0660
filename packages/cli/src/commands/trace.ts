import { LabError } from '@kind-e2e/base';
import type { Command } from 'commander';
import { ask, type CommandContext, type DataDirOption, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parsePositive } from '../options.ts';
import { formatDuration, table } from '../output/table.ts';
import { type JaegerTrace, renderTrace } from '../output/trace-tree.ts';

/** How far back traces are listed. */
const LISTED_MS = 3_600_000;

interface TraceFlags extends DataDirOption {
  readonly service?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function addTraceCommand(program: Command, context: CommandContext): void {
  program
    .command('trace')
    .description('print a trace as a tree with bars, or list the newest traces')
    .argument('[id]', 'the trace id; without it the newest traces are listed')
    .option('-s, --service <name>', 'list only traces with this service')
    .option('-l, --limit <n>', 'how many to list', parsePositive, 20)
    .option('--json', "print Jaeger's JSON")
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (id: string | undefined, flags: TraceFlags) => {
      const config = await requireLab(context, flags);
      if (id === undefined) {
        const service = flags.service ?? 'istio-ingressgateway.istio-system';
        const start = String((Date.now() - LISTED_MS) * 1_000);
        const query = new URLSearchParams({ service, limit: String(flags.limit), start });
        const traces = await read(await ask(config, `/jaeger/api/traces?${query}`));
        context.out(flags.json ? JSON.stringify(traces, null, 2) : renderList(traces, process.stdout.columns));
        return;
      }
      if (!/^[0-9a-f]{1,32}$/i.test(id))
        throw new LabError(`${id} is not a trace id`, {
          code: 'TRACE_ID',
          side: 'usage',
          remedy: 'give up to 32 hex digits',
        });
      const traces = await read(await ask(config, `/jaeger/api/traces/${id}`));
      const trace = traces[0];
      if (!trace || trace.spans.length === 0)
        throw new LabError(`no trace ${id} is stored`, {
          code: 'NO_TRACE',
          side: 'user',
          remedy: 'list those that are with `kind-e2e trace`',
        });
      context.out(flags.json ? JSON.stringify(trace, null, 2) : renderTrace(trace, process.stdout.columns ?? 100));
    });
}

async function read(answer: Response): Promise<readonly JaegerTrace[]> {
  if (answer.status === 404) return [];
  const body = (await answer.json()) as { data?: JaegerTrace[] | null; errors?: { msg: string }[] | null };
  if (!answer.ok)
    throw new LabError(`traces could not be read: ${body.errors?.[0]?.msg ?? answer.status}`, {
      code: 'TRACES',
      side: 'user',
    });
  return body.data ?? [];
}

function renderList(traces: readonly JaegerTrace[], columns: number | undefined): string {
  if (traces.length === 0) return 'No traces in the last hour. Click "Slow page" on the website, then look again.';
  return table(
    ['TRACE', 'START', 'DURATION', 'SPANS', 'ROOT'],
    traces.map((trace) => {
      const root = trace.spans.find((span) => span.references.length === 0) ?? trace.spans[0];
      const start = Math.min(...trace.spans.map((span) => span.startTime));
      const end = Math.max(...trace.spans.map((span) => span.startTime + span.duration));
      return [
        trace.traceID,
        new Date(start / 1_000).toLocaleTimeString(),
        formatDuration((end - start) / 1_000),
        String(trace.spans.length),
        root?.operationName ?? '',
      ];
    }),
    { right: new Set([2, 3]), whole: new Set([0, 1]), columns },
  );
}
