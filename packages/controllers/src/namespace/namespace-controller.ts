import {
  type ApiObject,
  createController,
  keyOf,
  RESOURCES,
  resourcePath,
  source,
  statusErrorOf,
} from '@kind-e2e/kube-client';

import type { Namespace, NamespaceCondition } from 'kubernetes-types/core/v1.d.ts';
import { withCondition } from '../conditions.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { type ContentReport, deleteContent } from './namespace-content.ts';

const FINALIZER = 'kubernetes';

/** How soon content that is still there is looked at again; grows with each pass. */
const FIRST_RECHECK_MS = 100;
const LAST_RECHECK_MS = 5000;

/** Empties namespaces that are being deleted, tells how far it is, and lets them go (upstream pkg/controller/namespace). */
export function startNamespaceController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const namespaces = informers.of('namespaces');
  const passes = new Map<string, number>();

  async function finalize(namespace: Namespace, signal: AbortSignal): Promise<void> {
    const name = namespace.metadata?.name ?? '';
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const path = resourcePath(RESOURCES.namespaces, { name, subresource: 'finalize' });
    const body: ApiObject & { spec: object } = { ...namespace, spec: { ...namespace.spec, finalizers } };
    const answer = await client.request('PUT', path, { body, signal });
    const text = await answer.text();
    if (!answer.ok && answer.status !== 404) throw statusErrorOf(answer.status, text);
  }

  return createController({
    name: 'namespace-controller',
    clock,
    logger: context.logger,
    concurrency: 4,
    sources: [source(namespaces, (namespace) => [keyOf(namespace)])],
    reconcile: async ({ name, key, signal }) => {
      const namespace = namespaces.get(name);
      const isOurs = namespace?.metadata?.deletionTimestamp && namespace.spec?.finalizers?.includes(FINALIZER);
      if (!namespace || !isOurs) {
        passes.delete(key);
        return undefined;
      }
      const report = await deleteContent(client, name, signal);
      const isEmpty =
        report.remaining.size === 0 && report.deletionFailures.length === 0 && report.discoveryFailures.size === 0;
      if (isEmpty) {
        passes.delete(key);
        await finalize(namespace, signal);
        return undefined;
      }
      const conditions = conditionsOf(report, namespace.status?.conditions, clock.now());
      const status = { ...namespace.status, phase: 'Terminating', conditions };
      if (!isSameJson(status, namespace.status))
        await client.update<Namespace>(
          RESOURCES.namespaces,
          { ...namespace, status },
          { subresource: 'status', signal },
        );
      const pass = passes.get(key) ?? 0;
      passes.set(key, pass + 1);
      return { requeueAfterMs: Math.min(LAST_RECHECK_MS, FIRST_RECHECK_MS * 1.5 ** pass) };
    },
  });
}

/** The conditions of status_condition_utils.go, with its words. Exported for its test. */
export function conditionsOf(
  report: ContentReport,
  before: readonly NamespaceCondition[] | undefined,
  nowMs: number,
): NamespaceCondition[] {
  const entries = (counts: ReadonlyMap<string, number>, text: (name: string, count: number) => string): string =>
    [...counts]
      .map(([name, count]) => text(name, count))
      .sort()
      .join(', ');
  const failing = (type: string, reason: string, message: string): NamespaceCondition => ({
    type,
    status: 'True',
    reason,
    message,
  });
  const fine = (type: string, reason: string, message: string): NamespaceCondition => ({
    type,
    status: 'False',
    reason,
    message,
  });
  const { discoveryFailures, deletionFailures, remaining, finalizers } = report;
  const conditions = [
    discoveryFailures.size > 0
      ? failing(
          'NamespaceDeletionDiscoveryFailure',
          'DiscoveryFailed',
          `Discovery failed for some groups, ${discoveryFailures.size} failing: unable to retrieve the complete list of server APIs: ${[...discoveryFailures].map(([group, why]) => `${group}: ${why}`).join(', ')}`,
        )
      : fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    deletionFailures.length > 0
      ? failing(
          'NamespaceDeletionContentFailure',
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${deletionFailures.length} remaining: ${deletionFailures.toSorted().join(', ')}`,
        )
      : fine(
          'NamespaceDeletionContentFailure',
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ),
    remaining.size > 0
      ? failing(
          'NamespaceContentRemaining',
          'SomeResourcesRemain',
          `Some resources are remaining: ${entries(remaining, (name, count) => `${name} has ${count} resource instances`)}`,
        )
      : fine('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'),
    finalizers.size > 0
      ? failing(
          'NamespaceFinalizersRemaining',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${entries(finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
        )
      : fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'),
  ];
  let merged = [...(before ?? [])];
  for (const condition of conditions) {
    const current = merged.find((entry) => entry.type === condition.type);
    if (current?.status === condition.status && current.reason === condition.reason)
      merged = merged.map((entry) => (entry === current ? { ...entry, message: condition.message } : entry));
    else merged = withCondition(merged, condition, nowMs);
  }
  return merged;
}
