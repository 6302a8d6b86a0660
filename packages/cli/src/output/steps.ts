import type { Step } from '@kind-e2e/embedded';
import { Listr, PRESET_TIMER } from 'listr2';
import type { CommandContext } from '../context.ts';

/** Runs the steps with a line each: what is being done, what it waits for, how long it took. Goes to standard error. */
export async function runSteps(steps: readonly Step[], signal: AbortSignal, _context: CommandContext): Promise<void> {
  const list = new Listr(
    steps.map((step) => ({
      title: step.title,
      task: async (_: unknown, task: { output: string }) => {
        signal.throwIfAborted();
        await step.run((detail) => {
          if (task.output !== detail) task.output = detail;
        }, signal);
      },
    })),
    {
      concurrent: false,
      registerSignalListeners: false,
      renderer: 'default',
      fallbackRenderer: 'simple',
      fallbackRendererCondition: () => !process.stdout.isTTY || process.env.CI !== undefined,
      rendererOptions: { timer: PRESET_TIMER, collapseErrors: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  await list.run();
}
