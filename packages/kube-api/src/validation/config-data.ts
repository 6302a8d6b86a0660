/** ConfigMaps and Secrets. */
import { type FieldError, forbiddenValue, invalidValue, requiredValue, tooLong } from '../errors/field-error.ts';
import { recordAt, stringAt, stringMapAt } from '../values/access.ts';
import { decodeBase64 } from '../values/base64.ts';
import { goJsonProblem } from '../values/go-json.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { byteLength, isConfigMapKey } from './names.ts';

const MAX_DATA_BYTES = 1024 * 1024;
const IMMUTABLE_SET = 'field is immutable when `immutable` is set';

function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

export function validateConfigMap(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const binary = stringMapAt(object, 'binaryData');
  let bytes = 0;
  for (const [key, value] of Object.entries(stringMapAt(object, 'data'))) {
    out.push(...invalidMessages(`data[${key}]`, key, isConfigMapKey(key)));
    if (Object.hasOwn(binary, key))
      out.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    bytes += byteLength(value);
  }
  for (const [key, value] of Object.entries(binary)) {
    out.push(...invalidMessages(`binaryData[${key}]`, key, isConfigMapKey(key)));
    bytes += base64Bytes(value);
  }
  if (bytes > MAX_DATA_BYTES) out.push(tooLong('[]', MAX_DATA_BYTES));
  return out;
}

export function validateConfigMapUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [...immutableData(object, old, ['data', 'binaryData']), ...validateConfigMap(object)];
}

function immutableData(object: JsonRecord, old: JsonRecord, fields: readonly string[]): FieldError[] {
  if (old.immutable !== true) return [];
  const out: FieldError[] = [];
  if (object.immutable !== true) out.push(forbiddenValue('immutable', IMMUTABLE_SET));
  for (const name of fields)
    if (!semanticEquals(object[name] ?? {}, old[name] ?? {})) out.push(forbiddenValue(name, IMMUTABLE_SET));
  return out;
}

const REDACTED = '<secret contents redacted>';

export function validateSecret(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const data = stringMapAt(object, 'data');
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    out.push(...invalidMessages(`data[${key}]`, key, isConfigMapKey(key)));
    bytes += base64Bytes(value);
  }
  if (bytes > MAX_DATA_BYTES) out.push(tooLong('data', MAX_DATA_BYTES));
  const need = (key: string): void => {
    if (data[key] === undefined) out.push(requiredValue(`data[${key}]`));
  };
  const needJson = (key: string): void => {
    const value = data[key];
    if (value === undefined) {
      out.push(requiredValue(`data[${key}]`));
      return;
    }
    const text = new TextDecoder().decode(decodeBase64(value));
    const problem = goJsonProblem(text) ?? (isRecord(JSON.parse(text)) ? undefined : wrongJson(text));
    if (problem !== undefined) out.push(invalidValue(`data[${key}]`, REDACTED, problem));
  };
  switch (stringAt(object, 'type')) {
    case 'kubernetes.io/service-account-token': {
      const name = stringMapAt(recordAt(object, 'metadata'), 'annotations')['kubernetes.io/service-account.name'];
      if ((name ?? '') === '') out.push(requiredValue('metadata.annotations[kubernetes.io/service-account.name]'));
      break;
    }
    case 'kubernetes.io/dockercfg':
      needJson('.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      needJson('.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      if (data.username === undefined && data.password === undefined)
        out.push(requiredValue('data[username]'), requiredValue('data[password]'));
      break;
    case 'kubernetes.io/ssh-auth':
      if ((data['ssh-privatekey'] ?? '') === '') out.push(requiredValue('data[ssh-privatekey]'));
      break;
    case 'kubernetes.io/tls':
      need('tls.crt');
      need('tls.key');
      break;
    default:
  }
  return out;
}

function wrongJson(text: string): string {
  const value: unknown = JSON.parse(text);
  const word = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${word} into Go value of type map[string]interface {}`;
}

export function validateSecretUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...immutableField(object.type, old.type, 'type'),
    ...immutableData(object, old, ['data']),
    ...validateSecret(object),
  ];
}
