import { buildRegistry, type MeshService } from '../translate/registry.ts';
import { type PodInfo, podsOf } from '../translate/workload-info.ts';
import { validateIstioObject } from '../validation/validate.ts';
import { KNOWN_MESH_CONFIG_FIELDS } from '../world/mesh-config.ts';
import type { IstioObject } from '../world/objects.ts';
import type { World } from '../world/world.ts';
import { message } from './codes.ts';
import { analyzeDestinationRules } from './destination-rules.ts';
import { analyzeGateways } from './gateways.ts';
import { ISTIO_KINDS } from './kinds.ts';
import type { AnalysisMessage } from './message.ts';
import { analyzeNamespaces, analyzeSelectors, analyzeServices } from './selectors.ts';
import { notEnforced } from './unsupported.ts';
import { analyzeValues } from './values.ts';
import { analyzeVirtualServices } from './virtual-services.ts';

/** What the analyzers look at. */
export interface AnalysisInput {
  readonly world: World;
  readonly registry: ReadonlyMap<string, MeshService>;
  readonly pods: readonly PodInfo[];
}

/** Looks at everything and says what is wrong, or accepted and not enforced. Errors first, then by object. */
export function analyze(world: World, extra: { readonly configProblem?: string } = {}): AnalysisMessage[] {
  const pods = podsOf(world);
  const input: AnalysisInput = { world, pods, registry: buildRegistry(world, pods) };
  const found = [
    ...meshConfig(world, extra.configProblem),
    ...fields(world),
    ...analyzeVirtualServices(input),
    ...analyzeDestinationRules(input),
    ...analyzeGateways(input),
    ...analyzeSelectors(input),
    ...analyzeServices(input),
    ...analyzeNamespaces(input),
    ...analyzeValues(input),
  ];
  const order = { Error: 0, Warning: 1, Info: 2 } as const;
  const key = (m: AnalysisMessage): string =>
    `${order[m.level]}|${m.resource.kind}|${m.resource.namespace}|${m.resource.name}|${m.code}|${m.path ?? ''}|${m.message}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function meshConfig(world: World, problem: string | undefined): AnalysisMessage[] {
  const subject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: world.config.rootNamespace ?? 'istio-system' },
  };
  const found =
    problem === undefined
      ? []
      : [
          message(
            'MeshConfigNotRead',
            subject,
            'ConfigMap',
            `data.mesh cannot be read, the defaults are in force: ${problem}`,
            'data.mesh',
          ),
        ];
  for (const field of Object.keys(world.config))
    if (!KNOWN_MESH_CONFIG_FIELDS.has(field))
      found.push(
        message(
          'NotEnforced',
          subject,
          'ConfigMap',
          `mesh config field "${field}" is not enforced by the embedded engine`,
          `data.mesh.${field}`,
        ),
      );
  if (world.config.trustDomain !== undefined && world.config.trustDomain !== 'cluster.local')
    found.push(
      message(
        'NotEnforced',
        subject,
        'ConfigMap',
        'the root certificate of the embedded engine is always for the trust domain cluster.local',
        'data.mesh.trustDomain',
      ),
    );
  return found;
}

function fields(world: World): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  for (const { kind, part } of ISTIO_KINDS)
    for (const object of world[part] as readonly IstioObject<unknown>[]) {
      for (const problem of validateIstioObject({ ...object, kind }))
        found.push(message('SchemaValidationError', object, kind, `Schema validation error: ${problem}`));
      for (const { text, path } of notEnforced(kind, object.spec))
        found.push(message('NotEnforced', object, kind, text, path));
    }
  return found;
}
