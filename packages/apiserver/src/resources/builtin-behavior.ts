import {
  badRequest,
  type FieldError,
  isRecord,
  type KubeObject,
  type ResourceDefinition,
  requiredValue,
} from '@kind-e2e/kube-api';
import type { Decoded, FieldValidation, ResourceBehavior } from './served-resource.ts';

/** Behaviour of a kind of our own, from the tables of kube-api. */
export function builtinBehavior(definition: ResourceDefinition, apiVersion: string): ResourceBehavior {
  const { kind, version } = definition;
  return {
    decode(raw: unknown, _validation: FieldValidation): Decoded {
      if (!isRecord(raw)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
      if (typeof raw.kind === 'string' && raw.kind !== '' && raw.kind !== kind)
        throw badRequest(
          `${raw.kind} in version "${version}" cannot be handled as a ${kind}: converting (${version}.${raw.kind}) to (core.${kind}): unknown conversion`,
        );
      const metadata = isRecord(raw.metadata) ? raw.metadata : {};
      const object = { ...raw, kind, apiVersion, metadata } as KubeObject;
      if (isRecord(raw.stringData)) {
        const data = { ...(isRecord(raw.data) ? raw.data : {}) };
        for (const [key, value] of Object.entries(raw.stringData))
          data[key] = Buffer.from(String(value)).toString('base64');
        Object.assign(object, { data });
        delete (object as Record<string, unknown>).stringData;
      }
      return { object, warnings: [] };
    },
    prepareForCreate(object) {
      const fields = object as Record<string, unknown>;
      if ('spec' in fields && object.metadata && kind !== 'Namespace' && kind !== 'Node' && kind !== 'Service')
        object.metadata.generation = 1;
      if (kind === 'Pod') fields.status = { phase: 'Pending', qosClass: 'BestEffort' };
      else if (kind === 'Namespace') {
        fields.spec = { finalizers: ['kubernetes'] };
        fields.status = { phase: 'Active' };
        Object.assign(object.metadata ?? {}, {
          labels: { ...object.metadata?.labels, 'kubernetes.io/metadata.name': object.metadata?.name },
        });
      } else if (kind !== 'Node' && 'spec' in fields) fields.status = {};
    },
    validateCreate: (object): FieldError[] =>
      object.metadata?.name ? [] : [requiredValue('metadata.name', 'name or generateName is required')],
    prepareForUpdate(object, old, subresource) {
      const fields = object as Record<string, unknown>;
      const before = old as Record<string, unknown>;
      if (subresource === 'status') {
        fields.spec = before.spec;
        return;
      }
      if ('status' in before) fields.status = before.status;
      if (
        old.metadata?.generation !== undefined &&
        object.metadata &&
        JSON.stringify(fields.spec) !== JSON.stringify(before.spec)
      )
        object.metadata.generation = old.metadata.generation + 1;
    },
    validateUpdate: () => [],
    warnings: () => [],
    field(object, path) {
      let value: unknown = object;
      for (const part of path.split('.')) value = isRecord(value) ? value[part] : undefined;
      return value === undefined ? undefined : String(value);
    },
    supportsField: () => true,
  };
}
