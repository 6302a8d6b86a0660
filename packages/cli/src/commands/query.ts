import { LabError } from '@kind-e2e/base';
import type { Command } from 'commander';
import { ask, type CommandContext, type DataDirOption, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parseDuration, parsePositive } from '../options.ts';
import { table } from '../output/table.ts';

interface QueryFlags extends DataDirOption {
  readonly logs?: boolean;
  readonly since: number;
  readonly limit: number;
  readonly json?: boolean;
}

interface ApiAnswer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

type Metric = Readonly<Record<string, string>>;

/** `query`: PromQL, or LogQL where the query begins with a stream selector and --logs is given. */
export function addQueryCommand(program: Command, context: CommandContext): void {
  program
    .command('query')
    .description('ask PromQL now, or LogQL (--logs) over the last hour')
    .argument('<query>', 'such as sum by (app) (rate(http_requests_total[1m]))')
    .option('-l, --logs', 'the query is LogQL')
    .option('--since <time>', 'how far back a LogQL query looks: 90s, 15m, 1h, 2d', parseDuration, 3_600_000)
    .option('--limit <n>', 'most log lines', parsePositive, 100)
    .option('--json', "print the API's answer")
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (query: string, flags: QueryFlags) => {
      const config = await requireLab(context, flags);
      const path = flags.logs
        ? `/loki/api/v1/query_range?${logParameters(query, flags)}`
        : `/prometheus/api/v1/query?${new URLSearchParams({ query })}`;
      const response = await ask(config, path);
      const text = await response.text();
      const answer = parseAnswer(text, response.status);
      if (flags.json) {
        context.out(text);
        return;
      }
      for (const warning of answer.warnings ?? []) context.err(`warning: ${warning}`);
      context.out(render(answer));
    });
}

function logParameters(query: string, flags: QueryFlags): URLSearchParams {
  const end = Date.now();
  return new URLSearchParams({
    query,
    start: String((end - flags.since) * 1e6),
    end: String(end * 1e6),
    limit: String(flags.limit),
    direction: 'backward',
  });
}

function parseAnswer(text: string, status: number): ApiAnswer {
  let answer: ApiAnswer | undefined;
  try {
    answer = JSON.parse(text) as ApiAnswer;
  } catch {
    answer = undefined;
  }
  if (answer?.status === 'success' && answer.data) return answer;
  throw new LabError(answer?.error ?? text.trim() ?? `status ${status}`, {
    code: 'QUERY_FAILED',
    side: 'user',
    remedy: 'mend the query at the position it names',
  });
}

function render(answer: ApiAnswer): string {
  const { resultType, result } = answer.data ?? { resultType: 'none', result: [] };
  switch (resultType) {
    case 'scalar':
    case 'string':
      return String((result as [number, string])[1]);
    case 'vector': {
      const samples = result as readonly { metric: Metric; value?: [number, string] }[];
      if (samples.length === 0) return 'Empty result.';
      // The value first: names of series are long, and a terminal may break them where it likes.
      return table(
        ['VALUE', 'SERIES'],
        samples.map(({ metric, value }) => [value?.[1] ?? '(histogram)', seriesName(metric)]),
        { right: new Set([0]) },
      );
    }
    case 'matrix': {
      const series = result as readonly { metric: Metric; values?: [number, string][] }[];
      return (
        series
          .map(
            ({ metric, values }) =>
              `${seriesName(metric)}\n${(values ?? []).map(([time, value]) => `  ${timeText(time)}  ${value}`).join('\n')}`,
          )
          .join('\n') || 'Empty result.'
      );
    }
    case 'streams': {
      const streams = result as readonly { stream: Metric; values: [string, string][] }[];
      const lines = streams.flatMap(({ values }) => values).sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
      return lines.map(([, line]) => line).join('\n') || 'No lines.';
    }
    default:
      return JSON.stringify(answer.data, null, 2);
  }
}

/** Seconds since 1970 as the time of day here, with the date. */
function timeText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString('sv-SE');
}

function seriesName(metric: Metric): string {
  const { __name__: name = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name || '{}' : `${name}{${pairs.join(', ')}}`;
}
