import type { KubeObject } from '@kind-e2e/kube-api';
import type { AcceptedForm } from '../http/negotiation.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ChangeType } from '../storage/collection.ts';
import type { ObjectRecord } from '../storage/object-record.ts';
import { partialObject, partialObjectList } from './partial.ts';
import { type IncludeObject, tableOf } from './table.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Turns stored records into the JSON that one client asked for. */
export interface RecordEncoder {
  /** Names the encoding: watchers with the same key get the same bytes. */
  readonly key: string;
  object(record: ObjectRecord): string;
  list(records: readonly ObjectRecord[], meta: ListMeta): string;
  /** The `object` of a watch event; `resourceVersion` is given where it is not the record's own. */
  event(type: ChangeType, record: ObjectRecord, resourceVersion?: string): string;
  bookmark(resourceVersion: string, annotations?: Record<string, string>): string;
}

/** An object that is not (yet) stored, in the form that was asked for. */
export function encodeObject(
  resource: ServedResource,
  form: AcceptedForm,
  object: KubeObject,
  include: IncludeObject,
  nowMs: number,
): string {
  const served = resource.conversion ? resource.conversion.toServed(object) : object;
  switch (form.form) {
    case 'object':
    case 'PartialObjectMetadataList':
      return JSON.stringify(served);
    case 'PartialObjectMetadata':
      return JSON.stringify(partialObject(served, form.viewVersion));
    case 'Table':
      return JSON.stringify(
        tableOf(
          resource,
          [served],
          { resourceVersion: served.metadata?.resourceVersion ?? '' },
          { include, version: form.viewVersion, nowMs },
        ),
      );
  }
}

/** `now` gives the time that ages are counted to. */
export function recordEncoder(
  resource: ServedResource,
  form: AcceptedForm,
  include: IncludeObject,
  now: () => number,
): RecordEncoder {
  switch (form.form) {
    case 'object':
      return plainEncoder(resource);
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return partialEncoder(form.viewVersion);
    case 'Table':
      return tableEncoder(resource, form.viewVersion, include, now);
  }
}

function servedObject(resource: ServedResource, record: ObjectRecord): KubeObject {
  return resource.conversion ? resource.conversion.toServed(record.copy()) : record.object;
}

function withRevision(object: KubeObject, resourceVersion: string | undefined): KubeObject {
  return resourceVersion === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion } };
}

function plainEncoder(resource: ServedResource): RecordEncoder {
  const { kind, listKind } = resource.definition;
  const { apiVersion } = resource;
  const asStored = resource.conversion === undefined;
  const object = (record: ObjectRecord): string =>
    asStored ? record.json : JSON.stringify(servedObject(resource, record));
  const typePrefix = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
  // Items of typed lists carry no kind and apiVersion; those of custom resources do.
  const item = (record: ObjectRecord): string => {
    const json = object(record);
    return !resource.isCustom && json.startsWith(typePrefix) ? `{${json.slice(typePrefix.length)}` : json;
  };
  return {
    key: 'object',
    object,
    list: (records, meta) =>
      `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(meta)},"items":[${records.map(item).join(',')}]}\n`,
    event: (_type, record, resourceVersion) =>
      resourceVersion === undefined
        ? object(record)
        : JSON.stringify(withRevision(servedObject(resource, record), resourceVersion)),
    bookmark: (resourceVersion, annotations) =>
      JSON.stringify({ kind, apiVersion, metadata: { resourceVersion, ...(annotations ? { annotations } : {}) } }),
  };
}

function partialEncoder(version: string): RecordEncoder {
  const one = (record: ObjectRecord): KubeObject => partialObject(record.object, version);
  return {
    key: `partial/${version}`,
    object: (record) => JSON.stringify(one(record)),
    list: (records, meta) => JSON.stringify(partialObjectList(records.map(one), meta, version)),
    event: (_type, record, resourceVersion) => JSON.stringify(withRevision(one(record), resourceVersion)),
    bookmark: (resourceVersion, annotations) =>
      JSON.stringify(
        partialObject({ metadata: { resourceVersion, ...(annotations ? { annotations } : {}) } }, version),
      ),
  };
}

function tableEncoder(
  resource: ServedResource,
  version: string,
  include: IncludeObject,
  now: () => number,
): RecordEncoder {
  // Only the first table of a watch has columns (apiserver `tableEncoder`).
  let hasColumns = false;
  const table = (objects: readonly KubeObject[], meta: ListMeta, withColumns = true): string =>
    JSON.stringify(tableOf(resource, objects, meta, { include, version, withColumns, nowMs: now() }));
  return {
    key: `table/${version}/${include}`,
    object: (record) => table([servedObject(resource, record)], { resourceVersion: String(record.revision) }),
    list: (records, meta) =>
      table(
        records.map((record) => servedObject(resource, record)),
        meta,
      ),
    event(_type, record, resourceVersion) {
      const withColumns = !hasColumns;
      hasColumns = true;
      return table(
        [withRevision(servedObject(resource, record), resourceVersion)],
        { resourceVersion: resourceVersion ?? String(record.revision) },
        withColumns,
      );
    },
    bookmark: (resourceVersion, annotations) =>
      JSON.stringify(
        tableOf(
          resource,
          [
            {
              kind: resource.definition.kind,
              apiVersion: resource.apiVersion,
              metadata: { resourceVersion, ...(annotations ? { annotations } : {}) },
            },
          ],
          { resourceVersion },
          { include, version, withColumns: false, nowMs: now() },
        ),
      ),
  };
}
