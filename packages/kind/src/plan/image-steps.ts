import { join } from 'node:path';
import type { Settings } from '../options.ts';
import { fingerprintOf, fingerprintOfPath } from './fingerprint.ts';
import type { PlannedStep } from './step.ts';

/** Folders of `apps/`, each the name of an image and of a subchart. */
export const APPS = ['front-end', 'business-logic'] as const;

export interface AppImage {
  readonly app: string;
  /** Where its Dockerfile is, relative to the checkout. */
  readonly folder: string;
  /** Stands for the sources, so that a changed app is a changed release and an unchanged one is not. */
  readonly tag: string;
  /** Without the tag. */
  readonly repository: string;
  readonly reference: string;
}

export function appImages(settings: Settings): readonly AppImage[] {
  return settings.app ? APPS.map((app) => imageOf(settings, app, join('apps', app))) : [];
}

/** Agents of Jenkins: they are there to build and deploy the app, and not without it. */
export function agentImage(settings: Settings): AppImage | undefined {
  return settings.app ? imageOf(settings, 'jenkins-agent', join('jenkins', 'agent')) : undefined;
}

function imageOf(settings: Settings, app: string, folder: string): AppImage {
  const tag = `src-${fingerprintOfPath(join(settings.root, folder))}`;
  const repository = `${settings.imageRegistry}/${app}`;
  return { app, folder, tag, repository, reference: `${repository}:${tag}` };
}

export function imageStepId({ app }: AppImage): string {
  return `image ${app}`;
}

/** `docker build` and `docker push`, side by side with the making of the cluster. */
export function imageSteps(settings: Settings, images: readonly AppImage[]): readonly PlannedStep[] {
  return images.map((image) => ({
    id: imageStepId(image),
    title: `Image of ${image.app}`,
    needs: settings.engine === 'kind' ? ['registry'] : [],
    fingerprint: fingerprintOf(image.reference),
    commands: [
      { program: 'docker', args: ['build', '--tag', image.reference, image.folder] },
      { program: 'docker', args: ['push', image.reference] },
    ],
  }));
}
