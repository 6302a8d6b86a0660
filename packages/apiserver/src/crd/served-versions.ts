import type { KubeObject, ResourceDefinition } from '@kind-e2e/kube-api';
import type { ServedResource, VersionConversion } from '../resources/served-resource.ts';
import type { CrdSpec, CrdVersion } from './crd-spec.ts';
import { customBehavior } from './custom-behavior.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const PART_VERBS = ['get', 'patch', 'update'];

/** What a CRD makes the server serve: a resource for each served version. */
export function servedVersions(crd: CrdSpec, storedVersions: readonly string[]): ServedResource[] {
  const storage = crd.versions.find((version) => version.storage)?.name ?? '';
  const isSingle = crd.versions.length === 1 && storedVersions.every((name) => name === storage);
  return crd.versions
    .filter((version) => version.served)
    .map((version) => ({
      definition: definitionOf(crd, version, storage),
      apiVersion: `${crd.group}/${version.name}`,
      collection: `${crd.group}/${crd.names.plural}`,
      isCustom: true,
      behavior: customBehavior(crd, version),
      columns: version.columns,
      ...(version.deprecated
        ? { deprecation: version.deprecationWarning ?? `${crd.group}/${version.name} ${crd.names.kind} is deprecated` }
        : {}),
      ...(version.schema ? { openApiSchema: version.schema } : {}),
      ...(isSingle ? {} : { conversion: noneConversion(crd.group, version.name, storage) }),
      ...(version.scale
        ? {
            scalePaths: {
              specReplicas: pathOf(version.scale.specReplicasPath),
              statusReplicas: pathOf(version.scale.statusReplicasPath),
              selector:
                version.scale.labelSelectorPath === undefined ? undefined : pathOf(version.scale.labelSelectorPath),
            },
          }
        : {}),
    }));
}

function definitionOf(crd: CrdSpec, version: CrdVersion, storageVersion: string): ResourceDefinition {
  const { names } = crd;
  return {
    group: crd.group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind,
    plural: names.plural,
    singular: names.singular,
    shortNames: names.shortNames,
    categories: names.categories,
    namespaced: crd.namespaced,
    verbs: ALL_VERBS,
    subresources: [
      ...(version.hasStatus ? [{ name: 'status', kind: names.kind, verbs: PART_VERBS }] : []),
      ...(version.scale
        ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: PART_VERBS }]
        : []),
    ],
    storageVersion,
  };
}

/** Strategy None: versions differ in nothing but their name. */
function noneConversion(group: string, served: string, storage: string): VersionConversion {
  return {
    toServed: (stored: KubeObject) => ({ ...stored, apiVersion: `${group}/${served}` }),
    toStored: (object: KubeObject) => ({ ...object, apiVersion: `${group}/${storage}` }),
  };
}

function pathOf(jsonPath: string): string[] {
  return jsonPath.replace(/^\./, '').split('.');
}
