import type { World } from '../world/world.ts';
import type { AnalysisMessage } from './message.ts';

/** Looks at everything and says what is wrong, or accepted and not enforced. */
export function analyze(_world: World, _extra: { readonly configProblem?: string }): AnalysisMessage[] {
  return [];
}
