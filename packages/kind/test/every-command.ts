import { resolveSettings } from '../src/options.ts';
import { makePlan } from '../src/plan/plan.ts';
import type { StandIns } from './lab-on-stand-ins.ts';

/** Every command of the plan, as the plan has it: what is added there is tried here too. */
export function commandsOf(world: StandIns): readonly string[] {
  const settings = resolveSettings(world.options());
  const lines = makePlan(settings, 4).steps.flatMap((step) =>
    step.commands.map(({ program, args }) => [program, ...args].join(' ')),
  );
  return [...new Set(lines)];
}

/** Exactly this command line. */
export const only = (line: string): string => `^${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

/** What ran side by side with an earlier fault may be done already: it is taken away, so that the command runs again. */
export function forget(world: StandIns, line: string): void {
  if (line.startsWith('docker run'))
    for (const kind of ['containers', 'connected']) world.dropThing(kind, 'kind-registry');
  if (line.startsWith('docker start'))
    world.setThing('containers', 'kind-registry', { running: false, labels: { 'kind-e2e.cluster': 'kind-e2e' } });
  if (line.startsWith('docker network')) world.dropThing('connected', 'kind-registry');
  if (line.startsWith('kind create'))
    for (const [kind, name] of [
      ['clusters', 'kind-e2e'],
      ['containers', 'kind-e2e-control-plane'],
    ] as const)
      world.dropThing(kind, name);
  // Repositories lie in Helm's own files, which nobody asks: that they were added is known from the state alone.
  if (line.startsWith('helm repo')) world.forgetStep('repositories');
  const release = /--install (\S+) /.exec(line)?.[1];
  for (const key of world.things('releases')) if (key.endsWith(`/${release}`)) world.dropThing('releases', key);
}
