import { isRecord, type JsonSchemaProps, type KubeObject, type PrinterColumn } from '@kind-e2e/kube-api';
import { recordsIn } from '../admission/pod-parts.ts';
import { sectionOf } from '../operations/object-identity.ts';

/** One version of a CRD. */
export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
  readonly schema: JsonSchemaProps | undefined;
  readonly hasStatus: boolean;
  readonly scale:
    | { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string }
    | undefined;
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

export interface CrdNames {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

/** A CustomResourceDefinition, read once. */
export interface CrdSpec {
  readonly name: string;
  readonly group: string;
  readonly namespaced: boolean;
  readonly names: CrdNames;
  readonly preserveUnknown: boolean;
  readonly versions: readonly CrdVersion[];
}

export function readCrd(crd: KubeObject): CrdSpec {
  const spec = sectionOf(crd, 'spec');
  const names = isRecord(spec.names) ? spec.names : {};
  const kind = String(names.kind ?? '');
  const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return {
    name: crd.metadata?.name ?? '',
    group: String(spec.group ?? ''),
    namespaced: spec.scope === 'Namespaced',
    names: {
      plural: String(names.plural ?? ''),
      singular: String(names.singular ?? kind.toLowerCase()),
      kind,
      listKind: String(names.listKind ?? `${kind}List`),
      shortNames: strings(names.shortNames),
      categories: strings(names.categories),
    },
    preserveUnknown: spec.preserveUnknownFields === true,
    versions: recordsIn(spec, 'versions').map(readVersion),
  };
}

function readVersion(version: Record<string, unknown>): CrdVersion {
  const schema = isRecord(version.schema) ? version.schema.openAPIV3Schema : undefined;
  const subresources = isRecord(version.subresources) ? version.subresources : {};
  const scale = isRecord(subresources.scale) ? subresources.scale : undefined;
  return {
    name: String(version.name ?? ''),
    served: version.served === true,
    storage: version.storage === true,
    deprecated: version.deprecated === true,
    deprecationWarning: typeof version.deprecationWarning === 'string' ? version.deprecationWarning : undefined,
    schema: isRecord(schema) ? (schema as JsonSchemaProps) : undefined,
    hasStatus: isRecord(subresources.status),
    scale: scale
      ? {
          specReplicasPath: String(scale.specReplicasPath ?? ''),
          statusReplicasPath: String(scale.statusReplicasPath ?? ''),
          ...(typeof scale.labelSelectorPath === 'string' ? { labelSelectorPath: scale.labelSelectorPath } : {}),
        }
      : undefined,
    columns: recordsIn(version, 'additionalPrinterColumns').map((column) => ({
      name: String(column.name ?? ''),
      type: String(column.type ?? 'string'),
      jsonPath: String(column.jsonPath ?? ''),
      ...(typeof column.format === 'string' ? { format: column.format } : {}),
      ...(typeof column.description === 'string' ? { description: column.description } : {}),
      ...(typeof column.priority === 'number' ? { priority: column.priority } : {}),
    })),
    selectableFields: recordsIn(version, 'selectableFields').map(({ jsonPath }) => String(jsonPath ?? '')),
  };
}
