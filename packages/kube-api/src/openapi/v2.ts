/** `/openapi/v2`, as JSON and as the gnostic protobuf that old clients ask for. */
import { RESOURCES } from '../registry/resources.ts';
import { builtinType, definitionName } from '../schema/builtin.ts';
import type { JsonRecord } from '../values/json.ts';
import { type CustomKind, customDefinitions, definitionsFor, loadDescriptions } from './definitions.ts';
import { encodeGnosticDocument } from './gnostic.ts';
import { pathsOf } from './paths.ts';
import { builtinPathResources, customPathResource } from './v3.ts';

/** The whole API as one Swagger 2.0 document. Made anew at each call. */
export async function openApiV2Document(customKinds: readonly CustomKind[] = []): Promise<JsonRecord> {
  const descriptions = await loadDescriptions();
  const resources = builtinPathResources(() => true);
  const roots = new Set([
    ...resources.map((resource) => resource.definition.slice('io.k8s.'.length)),
    ...RESOURCES.map((resource) => definitionName({ ...resource, kind: resource.listKind })).filter(
      (name) => builtinType(name) !== undefined,
    ),
    'api.autoscaling.v1.Scale',
    'api.policy.v1.Eviction',
    'apimachinery.pkg.apis.meta.v1.DeleteOptions',
    'apimachinery.pkg.apis.meta.v1.Status',
  ]);
  const definitions = definitionsFor([...roots], descriptions, 'v2');
  for (const kind of customKinds) Object.assign(definitions, customDefinitions(kind, 'v2'));
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.36.2' },
    paths: pathsOf([...resources, ...customKinds.map(customPathResource)], 'v2'),
    definitions,
  };
}

/** The same in protobuf (gnostic `openapi.v2.Document`). */
export async function openApiV2Protobuf(customKinds: readonly CustomKind[] = []): Promise<Uint8Array<ArrayBuffer>> {
  return encodeGnosticDocument(await openApiV2Document(customKinds));
}
