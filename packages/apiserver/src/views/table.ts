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

/** Kinds whose versions all print alike. */
const PRINTED_AS_STORED: ReadonlySet<string> = new Set(['autoscaling/horizontalpodautoscalers']);

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
  if (resource.isCustom) return customRow(resource.columns, object, nowMs);
  // As upstream, whose printers see the one internal form of a kind: here, the stored one.
  const shown = PRINTED_AS_STORED.has(resource.collection)
    ? resource.conversion?.toStored(structuredClone(object))
    : object;
  return tableRow(resource.definition, shown ?? object, nowMs);
}
