/** Environment variables and their sources. */
import { type FieldError, invalidValue, requiredValue, unsupportedValue } from '../../errors/field-error.ts';
import { recordAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { isConfigMapKey, isDns1123Subdomain, isQualifiedName, isRelaxedEnvVarName } from '../names.ts';
import { quantityOf, quantityText } from './resources.ts';

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

/** `metadata.labels['a']` in two parts (`fieldpath.SplitMaybeSubscriptedPath`). */
function subscripted(path: string): readonly [string, string] | undefined {
  const start = path.indexOf("['");
  return path.endsWith("']") && start > 0 && start + 2 <= path.length - 2
    ? [path.slice(0, start), path.slice(start + 2, -2)]
    : undefined;
}

/** The name that a field has inside, or why it has none (`ConvertDownwardAPIFieldLabel`). */
function convertFieldLabel(version: string, label: string): { readonly path: string } | { readonly problem: string } {
  if (version !== 'v1') return { problem: `unsupported pod version: ${version}` };
  const parts = subscripted(label);
  if (parts !== undefined)
    return parts[0] === 'metadata.annotations' || parts[0] === 'metadata.labels'
      ? { path: label }
      : { problem: `field label does not support subscript: ${label}` };
  if (label === 'spec.host') return { path: 'spec.nodeName' };
  return CONVERTIBLE.has(label) ? { path: label } : { problem: `field label not supported: ${label}` };
}

export function validateFieldRef(ref: JsonRecord, supported: readonly string[], field: string): FieldError[] {
  const version = stringAt(ref, 'apiVersion');
  if (version === '') return [requiredValue(`${field}.apiVersion`)];
  const label = stringAt(ref, 'fieldPath');
  if (label === '') return [requiredValue(`${field}.fieldPath`)];
  const converted = convertFieldLabel(version, label);
  if ('problem' in converted)
    return [invalidValue(`${field}.fieldPath`, label, `error converting fieldPath: ${converted.problem}`)];
  const parts = subscripted(converted.path);
  if (parts === undefined)
    return supported.includes(converted.path)
      ? []
      : [unsupportedValue(`${field}.fieldPath`, converted.path, supported)];
  const key = parts[0] === 'metadata.annotations' ? parts[1].toLowerCase() : parts[1];
  return invalidMessages(field, key, isQualifiedName(key));
}

const BYTES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** What a resource may be divided by (`validateContainerResourceDivisor`). */
function divisorProblem(resource: string, divisor: string): string | undefined {
  const name = /^(?:limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-)/.exec(resource)?.[1];
  if (name === undefined) return undefined;
  const allowed = name === 'cpu' ? ['1m', '1'] : BYTES;
  if (allowed.includes(divisor)) return undefined;
  const shown = name === 'ephemeral-storage' ? 'local ephemeral storage' : name === 'hugepages-' ? 'hugepages' : name;
  const values = name === 'cpu' ? '1m and 1' : allowed.join(', ');
  return `only divisor's values ${values} are supported with the ${shown} resource`;
}

export function validateResourceFieldRef(ref: JsonRecord, field: string, needsContainer: boolean): FieldError[] {
  const out: FieldError[] = [];
  const resource = stringAt(ref, 'resource');
  if (needsContainer && stringAt(ref, 'containerName') === '') out.push(requiredValue(`${field}.containerName`));
  else if (resource === '') out.push(requiredValue(`${field}.resource`));
  else if (!RESOURCE_FIELDS.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
    out.push(unsupportedValue(`${field}.resource`, resource, RESOURCE_FIELDS));
  const divisor = quantityOf(ref.divisor);
  if (divisor === undefined || divisor.nano === 0n) return out;
  const problem = divisorProblem(resource, quantityText(ref.divisor));
  if (problem !== undefined) out.push(invalidValue(`${field}.divisor`, resource, problem));
  return out;
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
    const target = stringAt(ref, 'name');
    out.push(...invalidMessages(`${field}.${name}.name`, target, isDns1123Subdomain(target)));
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

/** Messages about the number of sources name the list (so upstream). */
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
    if (count === 0) out.push(invalidValue(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) out.push(invalidValue(field, '', 'may not have more than one field specified at a time'));
  }
  return out;
}
