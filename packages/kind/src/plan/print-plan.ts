import type { Settings } from '../options.ts';
import { pipelineNote } from '../repository.ts';
import { formatCommand } from '../run/command.ts';
import type { Plan } from './plan.ts';
import type { PlannedStep } from './step.ts';

/** The whole plan as text: every file, command and input, in an order in which they may run. */
export function printPlan(plan: Plan, settings: Settings): string {
  const numbers = new Map(plan.steps.map(({ id }, index) => [id, index + 1]));
  const target =
    settings.engine === 'kind'
      ? `the kind cluster ${settings.clusterName}; kubeconfig ${settings.kubeconfig}`
      : `the cluster of context ${settings.context}`;
  const head = `${plan.steps.length} steps for ${target}. Those that need no others run side by side.`;
  const note = pipelineNote(settings);
  return [head, ...(note === undefined ? [] : [note]), ...plan.steps.map((step) => printStep(step, numbers))].join(
    '\n\n',
  );
}

function printStep(step: PlannedStep, numbers: ReadonlyMap<string, number>): string {
  const after = step.needs.map((id) => numbers.get(id)).filter((number) => number !== undefined);
  const lines = [`${numbers.get(step.id)}. ${step.title}${after.length > 0 ? ` (after ${ranges(after)})` : ''}`];
  for (const file of step.files ?? []) lines.push(`     write ${file.path}`, ...block(file.text));
  for (const command of step.commands) {
    const unless = command.unless;
    if (unless) lines.push(`     unless ${unless.says}: ${formatCommand(unless.command)}`);
    lines.push(`     ${unless ? '  ' : ''}${formatCommand(command)}${command.input === undefined ? '' : ' <<EOF'}`);
    if (command.input !== undefined) lines.push(...block(command.input), '     EOF');
  }
  for (const url of step.urls ?? []) lines.push(`     GET ${url}`);
  return lines.join('\n');
}

/** `1-4, 7`. */
function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function block(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `       ${line}`.trimEnd());
}
