/** Environment variables and their sources. */
import { type FieldError, invalidValue, requiredValue, unsupportedValue } from '../../errors/field-error.ts';
import { recordAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { isConfigMapKey, isDns1123Subdomain, isQualifiedName, isRelaxedEnvVarName } from '../names.ts';
import { quantityOf } from './resources.ts';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields of a pod that a volume of the downward API can show. */
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const CONVERTIBLE = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.host',
  'status.phase',
]);
const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

export function validateFieldRef(ref: JsonRecord, supported: readonly string[], field: string): FieldError[] {
  if (stringAt(ref, 'apiVersion') === '') return [requiredValue(`${field}.apiVersion`)];
  const path = stringAt(ref, 'fieldPath');
  if (path === '') return [requiredValue(`${field}.fieldPath`)];
  const subscript = /^(.*)\['(.*)'\]$/.exec(path);
  const bare = subscript?.[1] ?? path;
  if (subscript !== null && (bare === 'metadata.annotations' || bare === 'metadata.labels')) {
    const key = subscript[2] ?? '';
    return invalidMessages(field, key, isQualifiedName(bare === 'metadata.annotations' ? key.toLowerCase() : key));
  }
  if (subscript !== null && CONVERTIBLE.has(bare)) return [invalidValue(field, bare, 'does not support subscript')];
  if (!CONVERTIBLE.has(path))
    return [invalidValue(`${field}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`)];
  return supported.includes(path) ? [] : [unsupportedValue(`${field}.fieldPath`, path, supported)];
}

export function validateResourceFieldRef(ref: JsonRecord, field: string, needsContainer: boolean): FieldError[] {
  if (needsContainer && stringAt(ref, 'containerName') === '') return [requiredValue(`${field}.containerName`)];
  const resource = stringAt(ref, 'resource');
  if (resource === '') return [requiredValue(`${field}.resource`)];
  if (!RESOURCE_FIELDS.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
    return [unsupportedValue(`${field}.resource`, resource, RESOURCE_FIELDS)];
  const divisor = quantityOf(ref.divisor);
  const allowed = resource.endsWith('.cpu')
    ? ['1m', '1']
    : ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
  if (divisor !== undefined && divisor.nano !== 0n && !allowed.some((text) => quantityOf(text)?.nano === divisor.nano))
    return [
      invalidValue(
        `${field}.divisor`,
        'divisor',
        resource.endsWith('.cpu')
          ? "only divisor's values 1m and 1 are supported with the cpu resource"
          : "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
      ),
    ];
  return [];
}

export function validateEnv(variables: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, variable] of variables.entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(variable, 'name');
    if (name === '') out.push(requiredValue(`${path}.name`));
    else out.push(...invalidMessages(`${path}.name`, name, isRelaxedEnvVarName(name)));
    const source = recordAt(variable, 'valueFrom');
    if (source !== undefined) out.push(...validateSource(variable, source, `${path}.valueFrom`));
  }
  return out;
}

function validateSource(variable: JsonRecord, source: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  let count = 0;
  const fieldRef = recordAt(source, 'fieldRef');
  if (fieldRef !== undefined) {
    count += 1;
    out.push(...validateFieldRef(fieldRef, ENV_FIELDS, `${field}.fieldRef`));
  }
  const resourceRef = recordAt(source, 'resourceFieldRef');
  if (resourceRef !== undefined) {
    count += 1;
    out.push(...validateResourceFieldRef(resourceRef, `${field}.resourceFieldRef`, false));
  }
  for (const name of ['configMapKeyRef', 'secretKeyRef']) {
    const ref = recordAt(source, name);
    if (ref === undefined) continue;
    count += 1;
    const key = stringAt(ref, 'key');
    if (key === '') out.push(requiredValue(`${field}.${name}.key`));
    else out.push(...invalidMessages(`${field}.${name}.key`, key, isConfigMapKey(key)));
  }
  const fileRef = recordAt(source, 'fileKeyRef');
  if (fileRef !== undefined) {
    count += 1;
    for (const name of ['volumeName', 'path', 'key'])
      if (stringAt(fileRef, name) === '') out.push(requiredValue(`${field}.fileKeyRef.${name}`));
  }
  if (count === 0)
    out.push(
      invalidValue(
        field,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  else if (stringAt(variable, 'value') !== '')
    out.push(invalidValue(field, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) out.push(invalidValue(field, '', 'may not have more than one field specified at a time'));
  return out;
}

export function validateEnvFrom(sources: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, source] of sources.entries()) {
    const path = `${field}[${index}]`;
    const prefix = stringAt(source, 'prefix');
    if (prefix !== '') out.push(...invalidMessages(`${path}.prefix`, prefix, isRelaxedEnvVarName(prefix)));
    let count = 0;
    for (const name of ['configMapRef', 'secretRef']) {
      if (!isRecord(source[name])) continue;
      count += 1;
      const target = stringAt(source[name], 'name');
      if (target === '') out.push(requiredValue(`${path}.${name}.name`));
      else out.push(...invalidMessages(`${path}.${name}.name`, target, isDns1123Subdomain(target)));
    }
    if (count === 0) out.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) out.push(invalidValue(path, '', 'may not have more than one field specified at a time'));
  }
  return out;
}
