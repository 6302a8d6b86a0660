import { type Clock, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { createInformer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { RuleFile } from './rule-file.ts';

export interface RuleConfigMapsOptions {
  readonly client: KubeClient;
  /** Told of all rule files whenever one changes. */
  readonly onChange: (files: readonly RuleFile[]) => void;
  /** Which ConfigMaps hold rules. Default `kind-e2e.dev/rules=true`. */
  readonly labelSelector?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface ConfigMapObject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string };
  data?: Record<string, string>;
}

const RULE_FILE = /\.(ya?ml|rules)$/;

/** Watches ConfigMaps for Prometheus rule files: each key that ends in `.yaml`, `.yml` or `.rules` is one. */
export function watchRuleConfigMaps(options: RuleConfigMapsOptions): AsyncDisposable {
  const { client, onChange, labelSelector = 'kind-e2e.dev/rules=true' } = options;
  const { logger = silentLogger, clock = systemClock } = options;
  const informer = createInformer<ConfigMapObject>({
    client,
    resource: RESOURCES.configmaps,
    labelSelector,
    logger,
    clock,
  });
  const changed = (): void => {
    const files = informer.list().flatMap((map) =>
      Object.entries(map.data ?? {})
        .filter(([key]) => RULE_FILE.test(key))
        .map(([key, yaml]) => ({ name: `${map.metadata?.namespace}/${map.metadata?.name}/${key}`, yaml })),
    );
    try {
      onChange(files.sort((a, b) => (a.name < b.name ? -1 : 1)));
    } catch (error) {
      logger.warn('rules of a ConfigMap are wrong; the rules before stay', { error });
    }
  };
  informer.addHandler({ added: changed, updated: changed, deleted: changed });
  return informer;
}
