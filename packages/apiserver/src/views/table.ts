import type { KubeObject } from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';
import { partialObject } from './partial.ts';
import type { ListMeta } from './record-encoder.ts';

/** `includeObject` of a request: what stands beside the cells of a row. */
export type IncludeObject = 'Metadata' | 'Object' | 'None';

export interface TableOptions {
  readonly include: IncludeObject;
  readonly version: string;
  /** Default true. */
  readonly withColumns?: boolean;
}

/** meta.k8s.io Table of objects. */
export function tableOf(
  resource: ServedResource,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  options: TableOptions,
): unknown {
  const rows = objects.map((object) => ({
    cells: [object.metadata?.name ?? '', object.metadata?.creationTimestamp ?? ''],
    ...(options.include === 'None'
      ? {}
      : { object: options.include === 'Object' ? object : partialObject(object, options.version) }),
  }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions:
      options.withColumns === false
        ? []
        : [
            { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
            { name: 'Created At', type: 'date', format: '', description: '', priority: 0 },
          ],
    rows,
  };
}
