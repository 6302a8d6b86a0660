import { REGISTRY_CONTAINER, type Settings } from '../options.ts';
import type { AppImage } from './image-steps.ts';

export const AGENTS_RELEASE = 'jenkins';
export const PLATFORM_RELEASE = 'platform';

/** The job's repository, the agents' image, and the registry by both of its names: as nodes pull and as pods push. */
export function jenkinsValues(settings: Settings, agent: AppImage | undefined): readonly string[] {
  if (!agent) return [];
  const push = settings.engine === 'kind' ? `http://${REGISTRY_CONTAINER}:5000` : settings.imageRegistry;
  return [
    ...variable('controller.containerEnv', 0, 'PIPELINE_REPOSITORY', settings.repository ?? ''),
    ...text('agent.image.repository', agent.repository),
    ...text('agent.image.tag', agent.tag),
    ...variable('agent.envVars', 0, 'REGISTRY', settings.imageRegistry),
    ...variable('agent.envVars', 1, 'PUSH_REGISTRY', push),
  ];
}

/** What agents may do is for the app's namespace alone. */
export function platformValues(settings: Settings): readonly string[] {
  return settings.app ? text('pipeline.appNamespace', settings.appNamespace) : ['--set', 'pipeline.enabled=false'];
}

function variable(list: string, index: number, name: string, value: string): readonly string[] {
  return [...text(`${list}[${index}].name`, name), ...text(`${list}[${index}].value`, value)];
}

function text(name: string, value: string): readonly string[] {
  return ['--set-string', `${name}=${value}`];
}
