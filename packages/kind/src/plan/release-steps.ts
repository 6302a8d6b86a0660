import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Helmfile, type Release, releaseKey } from '../helmfile.ts';
import type { Settings } from '../options.ts';
import type { PlannedCommand } from '../run/command.ts';
import { helmFlags, type Survey } from '../run/survey.ts';
import { fingerprintOf, fingerprintOfPath } from './fingerprint.ts';
import { type AppImage, imageStepId } from './image-steps.ts';
import { AGENTS_RELEASE, jenkinsValues, PLATFORM_RELEASE, platformValues } from './pipeline-values.ts';
import type { PlannedStep } from './step.ts';

/** The release of the demo app; its namespace is an option. */
export const APP_RELEASE = 'app';

export function repositoriesStep(helmfile: Helmfile): PlannedStep {
  return {
    id: 'repositories',
    title: 'Chart repositories',
    needs: [],
    fingerprint: fingerprintOf(helmfile.repositories),
    // Kept in the lab's own Helm folders, which nobody else empties.
    holds: () => true,
    commands: [
      ...helmfile.repositories.map(
        ({ name, url }): PlannedCommand => ({ program: 'helm', args: ['repo', 'add', name, url, '--force-update'] }),
      ),
      { program: 'helm', args: ['repo', 'update'] },
    ],
  };
}

export interface ReleaseStepOptions {
  readonly settings: Settings;
  readonly helmfile: Helmfile;
  readonly images: readonly AppImage[];
  /** Of Jenkins; missing without the app. */
  readonly agent: AppImage | undefined;
  /** 3 or 4: Helm 4 applies on the server, where controllers own fields of what they change. */
  readonly helmMajor: number;
}

/** A step for each release, after those it needs. */
export function releaseSteps(options: ReleaseStepOptions): readonly PlannedStep[] {
  return options.helmfile.releases
    .filter((release) => options.settings.app || release.name !== APP_RELEASE)
    .map((release) => releaseStep(release, options));
}

export function releaseStepId(key: string): string {
  return `release ${key}`;
}

function releaseStep(release: Release, options: ReleaseStepOptions): PlannedStep {
  const { settings, images } = options;
  const isApp = release.name === APP_RELEASE;
  const placed = { ...release, namespace: isApp ? settings.appNamespace : release.namespace };
  const key = releaseKey(placed);
  const args = upgradeArgs(placed, options);
  const read = [...valueFiles(placed, settings), ...release.set.flatMap((set) => ('file' in set ? [set.file] : []))];
  return {
    id: releaseStepId(releaseKey(release)),
    title: `${release.name}${release.version === undefined ? '' : ` ${release.version}`} in ${placed.namespace}`,
    needs: [
      'namespaces',
      'repositories',
      ...release.needs.map(releaseStepId),
      ...(isApp ? images.map(imageStepId) : []),
      ...(release.name === AGENTS_RELEASE && options.agent ? [imageStepId(options.agent)] : []),
    ],
    release: key,
    fingerprint: fingerprintOf(
      args,
      read.map((file) => fingerprintOfPath(join(settings.root, file))),
      release.chart.startsWith('./') ? fingerprintOfPath(join(settings.root, release.chart)) : '',
    ),
    holds: (survey) => survey.releases.get(key)?.status === 'deployed',
    repair: (survey) => repair(placed, survey, settings),
    commands: [{ program: 'helm', args }],
  };
}

/** An operation that was killed blocks every later one ("another operation is in progress"). */
function repair(release: Release, survey: Survey, settings: Settings): readonly PlannedCommand[] {
  const found = survey.releases.get(releaseKey(release));
  const at = ['--namespace', release.namespace, ...helmFlags(settings)];
  switch (found?.status) {
    case 'pending-install':
    case 'uninstalling':
      return [{ program: 'helm', args: ['uninstall', release.name, ...at] }];
    case 'pending-upgrade':
    case 'pending-rollback':
      return [{ program: 'helm', args: ['rollback', release.name, ...at] }];
    default:
      return [];
  }
}

/** The values files of a release: those of the helmfile, and beside them those that another engine changes. */
function valueFiles(release: Release, settings: Settings): readonly string[] {
  if (settings.engine === 'kind') return release.values;
  return release.values.flatMap((file) => {
    const other = file.replace(/(\.kind)?\.yaml$/, '.cluster.yaml');
    return existsSync(join(settings.root, other)) ? [file, other] : [file];
  });
}

function upgradeArgs(release: Release, options: ReleaseStepOptions): readonly string[] {
  const { settings, helmMajor } = options;
  return [
    'upgrade',
    '--install',
    release.name,
    release.chart,
    ...(release.version === undefined ? [] : ['--version', release.version]),
    '--namespace',
    release.namespace,
    ...valueFiles(release, settings).flatMap((file) => ['--values', file]),
    ...release.set.flatMap((set) =>
      'file' in set ? ['--set-file', `${set.name}=${set.file}`] : ['--set', `${set.name}=${set.value}`],
    ),
    ...valuesOf(release, options),
    '--wait',
    '--timeout',
    `${release.timeoutSeconds}s`,
    // istiod writes into webhooks that the charts made; Helm 4 would stop at the conflict.
    ...(helmMajor >= 4 ? ['--force-conflicts'] : []),
    ...helmFlags(settings),
  ];
}

/** What depends on the options of the lab. */
function valuesOf(release: Release, { settings, images, agent }: ReleaseStepOptions): readonly string[] {
  switch (release.name) {
    case APP_RELEASE:
      return appValues(settings, images);
    case AGENTS_RELEASE:
      return jenkinsValues(settings, agent);
    case PLATFORM_RELEASE:
      return platformValues(settings);
    default:
      return [];
  }
}

function appValues(settings: Settings, images: readonly AppImage[]): readonly string[] {
  return [
    '--set',
    `global.image.registry=${settings.imageRegistry}`,
    ...images.flatMap(({ app, tag }) => ['--set-string', `${app}.image.tag=${tag}`]),
  ];
}
