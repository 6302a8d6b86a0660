import { quote } from '@kind-e2e/telemetry';
import type { RelabelAction, RelabelConfig } from './config-model.ts';

export const DEFAULT_REGEX = '(.*)';
export const DEFAULT_SEPARATOR = ';';
export const DEFAULT_REPLACEMENT = '$1';

const NEEDS_TARGET: readonly RelabelAction[] = [
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];
const TAKES_NO_REPLACEMENT: readonly RelabelAction[] = ['lowercase', 'uppercase', 'keepequal', 'dropequal'];

/** Why a relabelling rule makes no sense, in Prometheus' words (model/relabel/relabel.go, `Validate`). */
export function relabelProblem(config: RelabelConfig): string | undefined {
  const { action, targetLabel, replacement, modulus, separator, regex, sourceLabels } = config;
  const others =
    modulus !== 0 || separator !== DEFAULT_SEPARATOR || replacement !== DEFAULT_REPLACEMENT ? 'set' : 'defaults';
  if (modulus === 0 && action === 'hashmod') return 'relabel configuration for hashmod requires non-zero modulus';
  if (NEEDS_TARGET.includes(action)) {
    if (targetLabel === '') return `relabel configuration for ${action} action requires 'target_label' value`;
    if (!targetLabel.isWellFormed()) return `${quote(targetLabel)} is invalid 'target_label' for ${action} action`;
  }
  if (TAKES_NO_REPLACEMENT.includes(action) && replacement !== DEFAULT_REPLACEMENT)
    return `'replacement' can not be set for ${action} action`;
  if (action === 'labelmap' && (replacement === '' || !replacement.isWellFormed()))
    return `${quote(replacement)} is invalid 'replacement' for ${action} action`;
  if ((action === 'dropequal' || action === 'keepequal') && (others === 'set' || regex !== DEFAULT_REGEX))
    return `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`;
  if (
    (action === 'labeldrop' || action === 'labelkeep') &&
    (others === 'set' || targetLabel !== '' || sourceLabels.length > 0)
  )
    return `${action} action requires only 'regex', and no other fields`;
  return undefined;
}
