import { join, resolve } from 'node:path';
import { LabError, systemClock } from '@kind-e2e/base';
import {
  APP_NAMESPACE,
  APP_RELEASE,
  appValues,
  buildApp,
  findTool,
  type HelmOptions,
  helmInstall,
  type LabConfig,
  labPaths,
  runHelm,
} from '@kind-e2e/embedded';
import type { Command } from 'commander';
import { type CommandContext, type DataDirOption, isOnKind, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';

const APPS = ['front-end', 'business-logic'] as const;
const HELM_TIMEOUT_SECONDS = 180;

interface BuildFlags extends DataDirOption {
  readonly tag?: string;
  readonly name?: string;
  readonly registry?: string;
  readonly withBase?: boolean;
  readonly sbom?: boolean;
  readonly json?: boolean;
}

/** `build`, `deploy` and `rollback`: from source to running pods and back. */
export function addBuildCommands(program: Command, context: CommandContext): void {
  program
    .command('build')
    .description("make an app's image without Docker and push it to the lab's registry")
    .argument('<folder>', 'a folder with a Dockerfile, such as apps/front-end')
    .option('-t, --tag <tag>', "the image's tag (default: the app's version)")
    .option('--name <name>', "the image's name (default: the folder's)")
    .option('--registry <address>', 'push there instead, without a lab; http://… for one that has no TLS')
    .option('--with-base', "put the image of the Dockerfile's last FROM below: for clusters of real nodes")
    .option('--sbom', 'with the bill of materials of npm sbom, where the Dockerfile puts it')
    .option('--json', 'print reference and digest as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (folder: string, flags: BuildFlags) => {
      const image = await buildApp({
        folder: resolve(context.cwd, folder),
        ...(flags.registry === undefined
          ? { registry: registryOf(await requireEmbedded(context, flags)) }
          : parseRegistry(flags.registry)),
        withBase: flags.withBase ?? false,
        sbom: flags.sbom ?? false,
        env: context.env,
        ...(flags.tag === undefined ? {} : { tag: flags.tag }),
        ...(flags.name === undefined ? {} : { name: flags.name }),
      });
      context.out(flags.json ? JSON.stringify(image) : `${image.reference}@${image.digest}`);
    });
  program
    .command('deploy')
    .description('build both apps and upgrade the release with Helm')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: DataDirOption) => {
      const config = await requireEmbedded(context, flags);
      const started = systemClock.monotonic();
      const digests: Record<string, string> = {};
      await Promise.all(
        APPS.map(async (app) => {
          const folder = join(context.installation.root, 'apps', app);
          const image = await buildApp({ folder, registry: registryOf(config), env: context.env });
          digests[app] = image.digest;
          context.err(`built ${image.reference}@${image.digest.slice(0, 19)}`);
        }),
      );
      await helmInstall(await helmOf(config, context), {
        release: APP_RELEASE,
        chart: context.installation.chart,
        namespace: APP_NAMESPACE,
        values: appValues(registryOf(config), digests),
        timeoutSeconds: HELM_TIMEOUT_SECONDS,
      });
      context.err(`deployed in ${((systemClock.monotonic() - started) / 1_000).toFixed(1)} s`);
    });
  program
    .command('rollback')
    .description('go back to an earlier revision of the app')
    .argument('[revision]', 'which one (default: the one before)')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (revision: string | undefined, flags: DataDirOption) => {
      const config = await requireLab(context, flags);
      const args = ['rollback', APP_RELEASE, ...(revision === undefined ? [] : [revision])];
      context.out(
        (await runHelm(await helmOf(config, context), [...args, '--namespace', APP_NAMESPACE, '--wait'])).trim(),
      );
    });
}

/** Images made without Docker have no base image, so that only the embedded engine can run them. */
async function requireEmbedded(context: CommandContext, flags: DataDirOption): Promise<LabConfig> {
  const config = await requireLab(context, flags);
  if (!isOnKind(config)) return config;
  throw new LabError('on kind images are made by Docker', {
    code: 'NEEDS_DOCKER',
    side: 'user',
    remedy: 'run `kind-e2e up --engine kind` again: it builds and releases what has changed',
  });
}

/** `kind-registry:5000`, or with the protocol that is spoken there. */
function parseRegistry(text: string): { registry: string; plainHttp?: boolean } {
  const [, protocol, registry] =
    /^(?:(https?):\/\/)?((?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?(?:\/[\w./-]*\w)?)\/?$/i.exec(text) ?? [];
  if (registry === undefined)
    throw new LabError(`${text} is not the address of a registry`, {
      code: 'BAD_REGISTRY',
      side: 'usage',
      remedy: 'give host and port, such as kind-registry:5000 or http://kind-registry:5000',
    });
  return { registry, ...(protocol === undefined ? {} : { plainHttp: protocol === 'http' }) };
}

function registryOf(config: LabConfig): string {
  return `localhost:${config.ports.registry}`;
}

async function helmOf(config: LabConfig, context: CommandContext): Promise<HelmOptions> {
  return {
    helm: await findTool('helm', { directory: context.installation.tools, env: context.env }),
    kubeconfig: labPaths(config.dataDir).kubeconfig,
    homeDir: join(config.dataDir, 'helm'),
  };
}
