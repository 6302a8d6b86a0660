import {
  customColumns,
  customRow,
  type KubeObject,
  type TableColumn,
  tableColumns,
  tableRow,
} from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';
import { partialObject } from './partial.ts';
import type { ListMeta } from './record-encoder.ts';

/** `includeObject` of a request: what stands beside the cells of a row. */
export type IncludeObject = 'Metadata' | 'Object' | 'None';

export interface TableOptions {
  readonly include: IncludeObject;
  readonly version: string;
  /** For ages. */
  readonly nowMs: number;
  /** Default true. */
  readonly withColumns?: boolean;
}

/** meta.k8s.io Table of objects. */
export function tableOf(
  resource: ServedResource,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  { include, version, nowMs, withColumns }: TableOptions,
): unknown {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    ...(withColumns === false ? {} : { columnDefinitions: columnsOf(resource) }),
    rows: objects.map((object) => ({
      cells: cellsOf(resource, object, nowMs),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partialObject(object, version) }),
    })),
  };
}

function columnsOf(resource: ServedResource): readonly TableColumn[] {
  return resource.isCustom ? customColumns(resource.columns) : tableColumns(resource.definition);
}

function cellsOf(resource: ServedResource, object: KubeObject, nowMs: number): readonly unknown[] {
  return resource.isCustom ? customRow(resource.columns, object, nowMs) : tableRow(resource.definition, object, nowMs);
}
