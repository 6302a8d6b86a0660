import { readFile } from 'node:fs/promises';
import { LabError } from '@kind-e2e/base';
import { labPaths, urlsOf } from '@kind-e2e/embedded';
import type { Command } from 'commander';
import { execa } from 'execa';
import { type CommandContext, type DataDirOption, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';

/** `kubeconfig`, `env` and `open`: how to reach the lab. */
export function addInfoCommands(program: Command, context: CommandContext): void {
  program
    .command('kubeconfig')
    .description("print the lab's kubeconfig; your own is never touched")
    .option('--path', 'print where it is instead')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: DataDirOption & { readonly path?: boolean }) => {
      const path = labPaths((await requireLab(context, flags)).dataDir).kubeconfig;
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        throw new LabError(`${path} is not there: the lab has not been ready yet`, {
          code: 'NO_KUBECONFIG',
          side: 'user',
          remedy: 'start it with `kind-e2e up`',
          cause: error,
        });
      });
      context.out(flags.path ? path : text.trimEnd());
    });
  program
    .command('env')
    .description('print shell lines that point kubectl, helm and OpenTelemetry SDKs at the lab')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: DataDirOption) => {
      const config = await requireLab(context, flags);
      context.out(`export KUBECONFIG=${JSON.stringify(labPaths(config.dataDir).kubeconfig)}`);
      if (config.ports.otlpHttp)
        context.out(`export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${config.ports.otlpHttp}`);
      if (config.ports.zipkin)
        context.out(`export OTEL_EXPORTER_ZIPKIN_ENDPOINT=http://127.0.0.1:${config.ports.zipkin}/api/v2/spans`);
    });
  program
    .command('open')
    .description('open the console, or one of its pages, in the browser')
    .argument('[page]', 'console, website, traces, dashboards, mesh or metrics', 'console')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (page: string, flags: DataDirOption) => {
      const urls = urlsOf(await requireLab(context, flags));
      const found = urls.find(({ title }) => title.toLowerCase() === page.toLowerCase());
      if (!found)
        throw new LabError(`there is no page ${page}`, {
          code: 'NO_PAGE',
          side: 'usage',
          remedy: `one of ${urls.map(({ title }) => title.toLowerCase()).join(', ')}`,
        });
      context.out(found.url);
      const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
      const result = await execa(opener, [found.url], { reject: false, stdio: 'ignore' });
      if (result.failed) context.err(`${opener} could not open a browser; the address is above`);
    });
}
