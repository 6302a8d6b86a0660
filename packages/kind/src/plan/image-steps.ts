import { join } from 'node:path';
import type { Settings } from '../options.ts';
import { fingerprintOf, fingerprintOfPath } from './fingerprint.ts';
import type { PlannedStep } from './step.ts';

/** Folders of `apps/`, each the name of an image and of a subchart. */
export const APPS = ['front-end', 'business-logic'] as const;

export interface AppImage {
  readonly app: string;
  /** Stands for the sources, so that a changed app is a changed release and an unchanged one is not. */
  readonly tag: string;
  readonly reference: string;
}

export function appImages(settings: Settings): readonly AppImage[] {
  if (!settings.app) return [];
  return APPS.map((app) => {
    const tag = `src-${fingerprintOfPath(join(settings.root, 'apps', app))}`;
    return { app, tag, reference: `${settings.imageRegistry}/${app}:${tag}` };
  });
}

/** `docker build` and `docker push`, side by side with the making of the cluster. */
export function imageSteps(settings: Settings, images: readonly AppImage[]): readonly PlannedStep[] {
  return images.map(({ app, reference }) => ({
    id: `image ${app}`,
    title: `Image of ${app}`,
    needs: settings.engine === 'kind' ? ['registry'] : [],
    fingerprint: fingerprintOf(reference),
    commands: [
      { program: 'docker', args: ['build', '--tag', reference, join('apps', app)] },
      { program: 'docker', args: ['push', reference] },
    ],
  }));
}
