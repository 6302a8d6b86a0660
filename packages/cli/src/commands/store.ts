import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { IMPORT_METRICS_PATH, type LabConfig, SQL_PATH } from '@kind-e2e/embedded';
import type { Command } from 'commander';
import { ask, type CommandContext, type DataDirOption, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parseDuration } from '../options.ts';
import { table } from '../output/table.ts';

interface SqlAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: readonly string[];
}

interface ImportAnswer {
  readonly accepted: number;
  readonly rejected: readonly { readonly reason: string; readonly count: number }[];
}

/** `sql` and `import`: what only the process that holds the stores can do. */
export function addStoreCommands(program: Command, context: CommandContext): void {
  program
    .command('sql')
    .description('ask SQL, read only, over the tables spans, logs and samples of the last hour')
    .argument('<statement>', 'such as select service, count(*) from spans group by 1')
    .option('--since <time>', 'how far back: 90s, 15m, 1h, 2d', parseDuration, 3_600_000)
    .option('--json', 'print columns and rows as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (statement: string, flags: DataDirOption & { readonly since: number; readonly json?: boolean }) => {
      const config = await requireLab(context, flags);
      const start = Date.now() - flags.since;
      const answer = (await post(config, `${SQL_PATH}?start=${start}`, statement)) as SqlAnswer;
      const numbers = numberColumns(answer);
      if (flags.json) context.out(JSON.stringify(answer, null, 2));
      else
        context.out(
          table(
            answer.columns,
            answer.rows.map((row) => row.map(String)),
            { right: numbers, whole: numbers, columns: process.stdout.columns },
          ),
        );
      for (const name of answer.truncated)
        context.err(`warning: ${name} holds more than was looked at; ask a shorter range with --since`);
    });
  program
    .command('import')
    .description('bring data in from a file')
    .argument('<kind>', 'metrics')
    .argument('<file>', 'OpenMetrics with timestamps')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (kind: string, file: string, flags: DataDirOption) => {
      if (kind !== 'metrics')
        throw new LabError(`${kind} cannot be imported`, {
          code: 'IMPORT_KIND',
          side: 'usage',
          remedy: 'write: kind-e2e import metrics FILE',
        });
      const config = await requireLab(context, flags);
      const text = await readFile(resolve(context.cwd, file), 'utf8').catch((error: unknown) => {
        throw new LabError(`${file} cannot be read`, {
          code: 'IMPORT_FILE',
          side: 'user',
          remedy: 'name a file that is there',
          cause: error,
        });
      });
      const answer = (await post(config, IMPORT_METRICS_PATH, text)) as ImportAnswer;
      context.out(`${answer.accepted} samples imported`);
      for (const { reason, count } of answer.rejected) context.err(`${count} refused: ${reason}`);
      if (answer.rejected.length > 0) process.exitCode = 1;
    });
}

/** Columns that hold numbers only; big ones come as text. */
function numberColumns({ columns, rows }: SqlAnswer): ReadonlySet<number> {
  const isNumber = (value: unknown): boolean => value === null || /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(String(value));
  return new Set(columns.keys().filter((column) => rows.length > 0 && rows.every((row) => isNumber(row[column]))));
}

async function post(config: LabConfig, path: string, body: string): Promise<unknown> {
  const answer = await ask(config, path, { method: 'POST', body, headers: { 'x-requested-with': 'kind-e2e' } });
  const result = (await answer.json().catch(() => ({ error: `the lab answered ${answer.status}` }))) as {
    error?: string;
  };
  if (answer.ok) return result;
  throw new LabError(result.error ?? `the lab answered ${answer.status}`, {
    code: 'STORE_REFUSED',
    side: 'user',
    remedy: 'mend what it says and try again',
  });
}
