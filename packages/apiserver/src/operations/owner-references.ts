import type { KubeObject } from '@kind-e2e/kube-api';

/**
 * Owners are named once: which are named again goes, with a warning (`handlers.dedupOwnerReferencesAndAddWarning`).
 * `when` says which of upstream's two warnings: of what a client sent, or of what was made of it.
 */
export function nameOwnersOnce(object: KubeObject, warnings: string[], when: 'sent' | 'admitted'): void {
  const references = object.metadata?.ownerReferences;
  if (!object.metadata || !Array.isArray(references)) return;
  const seen = new Set<string>();
  const kept = references.filter(({ uid = '' }) => !seen.has(uid) && seen.add(uid));
  if (kept.length === references.length) return;
  const [first = '', ...others] = references.filter((one) => !kept.includes(one)).map(({ uid = '' }) => uid);
  // Go's complaint of more values than its format has places for.
  const extra = others.length === 0 ? '' : `%!(EXTRA ${others.map((uid) => `types.UID=${uid}`).join(', ')})`;
  const after = when === 'admitted' ? ' after mutating admission happens' : '';
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries${after}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${first}${extra}`,
  );
  object.metadata.ownerReferences = kept;
}
