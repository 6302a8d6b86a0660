import { Disposer } from '@kind-e2e/base';
import { createController, createInformer, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ClusterRole, PolicyRule } from 'kubernetes-types/rbac/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { selects } from '../ownership/selectors.ts';

/** Gives ClusterRoles with an aggregationRule the rules of the roles that it selects (upstream clusterroleaggregation). */
export function startClusterRoleAggregationController(context: ControllerContext): AsyncDisposable {
  const { client, clock, logger } = context;
  const disposer = new Disposer();
  const roles = disposer.use(createInformer<ClusterRole>({ client, resource: RESOURCES.clusterroles, logger, clock }));
  disposer.use(
    createController({
      name: 'clusterrole-aggregation-controller',
      clock,
      logger,
      concurrency: 2,
      sources: [
        source(roles, () =>
          roles
            .list()
            .filter((role) => role.aggregationRule)
            .map(keyOf),
        ),
      ],
      reconcile: async ({ name, signal }) => {
        const role = roles.get(name);
        const selectors = role?.aggregationRule?.clusterRoleSelectors;
        if (!role || !selectors) return undefined;
        const rules: PolicyRule[] = [];
        for (const selector of selectors) {
          const found = roles
            .list()
            .filter((other) => other.metadata?.name !== name && selects(selector, other.metadata?.labels))
            .toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
          for (const rule of found.flatMap((other) => other.rules ?? []))
            if (!rules.some((known) => isSameJson(known, rule))) rules.push(rule);
        }
        if (isSameJson(rules, role.rules)) return undefined;
        await client.update<ClusterRole>(RESOURCES.clusterroles, { ...role, rules }, { signal });
        return undefined;
      },
    }),
  );
  return disposer;
}
