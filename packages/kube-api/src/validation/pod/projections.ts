/** What a projected volume is made of, and the files of the downward API (`validateProjectionSources`). */
import { type FieldError, forbiddenValue, invalidValue, requiredValue } from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { signerName, trustBundleNameProblems } from '../signer-name.ts';
import { VOLUME_FIELDS, validateFieldRef, validateResourceFieldRef } from './environment.ts';
import { fileMode, nonReservedPath } from './paths.ts';

/** Keys of a ConfigMap or Secret as files. */
export function keyToPath(items: readonly JsonRecord[], field: string): FieldError[] {
  return items.flatMap((item, index) => {
    const path = `${field}[${index}]`;
    const target = stringAt(item, 'path');
    return [
      ...(stringAt(item, 'key') === '' ? [requiredValue(`${path}.key`)] : []),
      ...(target === '' ? [requiredValue(`${path}.path`)] : []),
      ...nonReservedPath(target, `${path}.path`),
      ...fileMode(item.mode, `${path}.mode`),
    ];
  });
}

/** Files of the downward API; messages name the volume, not the file. */
export function downwardFiles(items: readonly JsonRecord[], field: string): FieldError[] {
  return items.flatMap((item) => {
    const out: FieldError[] = [];
    const target = stringAt(item, 'path');
    if (target === '') out.push(requiredValue(`${field}.path`));
    out.push(...nonReservedPath(target, `${field}.path`));
    const fieldRef = recordAt(item, 'fieldRef');
    const resourceRef = recordAt(item, 'resourceFieldRef');
    if (fieldRef !== undefined) {
      out.push(...validateFieldRef(fieldRef, VOLUME_FIELDS, `${field}.fieldRef`));
      if (resourceRef !== undefined)
        out.push(invalidValue(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    } else if (resourceRef !== undefined)
      out.push(...validateResourceFieldRef(resourceRef, `${field}.resourceFieldRef`, true));
    else out.push(requiredValue(field, 'one of fieldRef and resourceFieldRef is required'));
    return [...out, ...fileMode(item.mode, `${field}.mode`)];
  });
}

function tokenSource(token: JsonRecord, volume: string, field: string): FieldError[] {
  const out: FieldError[] = [];
  const seconds = numberAt(token, 'expirationSeconds') ?? 3600;
  if (seconds < 600)
    out.push(invalidValue(`${field}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32)
    out.push(
      invalidValue(`${field}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
    );
  const target = stringAt(token, 'path');
  if (target === '') out.push(requiredValue(`${volume}.path`));
  else out.push(...nonReservedPath(target, `${volume}.path`));
  return out;
}

function trustBundle(bundle: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const { name, signerName: signer } = bundle;
  if (typeof name === 'string' && typeof signer === 'string')
    out.push(
      invalidValue(
        field,
        {
          Name: name,
          SignerName: signer,
          LabelSelector: bundle.labelSelector ?? null,
          Optional: bundle.optional ?? null,
          Path: stringAt(bundle, 'path'),
        },
        'only one of name and signerName may be used',
      ),
    );
  else if (typeof name === 'string') {
    if (name === '') out.push(requiredValue(`${field}.name`, 'must be a valid object name'));
    const end = name.lastIndexOf(':');
    for (const message of trustBundleNameProblems(name, end < 0 ? '' : name.slice(0, end).replaceAll(':', '/')))
      out.push(invalidValue(`${field}.name`, name, `not a valid clustertrustbundlename: ${message}`));
    if (isRecord(bundle.labelSelector))
      out.push(
        invalidValue(
          `${field}.labelSelector`,
          bundle.labelSelector,
          'labelSelector must be unset if name is specified',
        ),
      );
  } else if (typeof signer === 'string') {
    if (signer === '') out.push(requiredValue(`${field}.signerName`, 'must be a valid signer name'));
    out.push(...signerName(signer, `${field}.signerName`));
    out.push(...validateLabelSelector(recordAt(bundle, 'labelSelector'), `${field}.labelSelector`));
  } else out.push(requiredValue(field, 'either name or signerName must be specified'));
  const path = stringAt(bundle, 'path');
  if (path === '') out.push(requiredValue(`${field}.path`));
  return [...out, ...nonReservedPath(path, `${field}.path`)];
}

/** `field` is the projected volume, which many of the messages name instead of the source. */
export function validateProjections(sources: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const taken = new Set<string>();
  const another = (path: string, shown: string): void => {
    if (taken.has(path)) out.push(invalidValue(field, shown, 'conflicting duplicate paths'));
    taken.add(path);
  };
  for (const [index, source] of sources.entries()) {
    const place = `${field}.sources[${index}]`;
    let count = 0;
    for (const name of ['secret', 'configMap']) {
      const part = recordAt(source, name);
      if (part === undefined) continue;
      count += 1;
      const target = stringAt(part, 'name');
      if (target === '') out.push(requiredValue(`${place}.${name}.name`));
      const items = recordsAt(part, 'items');
      out.push(...keyToPath(items, `${place}.${name}.items`));
      for (const path of items.map((item) => stringAt(item, 'path'))) if (path !== '') another(path, target);
    }
    const downward = recordAt(source, 'downwardAPI');
    if (downward !== undefined) {
      count += 1;
      const items = recordsAt(downward, 'items');
      out.push(...downwardFiles(items, `${place}.downwardAPI`));
      for (const path of items.map((item) => stringAt(item, 'path'))) if (path !== '') another(path, path);
    }
    const token = recordAt(source, 'serviceAccountToken');
    if (token !== undefined) {
      count += 1;
      out.push(...tokenSource(token, field, `${place}.serviceAccountToken`));
    }
    const bundle = recordAt(source, 'clusterTrustBundle');
    if (bundle !== undefined) {
      count += 1;
      out.push(...trustBundle(bundle, `${place}.clusterTrustBundle`));
      const path = stringAt(bundle, 'path');
      another(path, path);
    }
    if (isRecord(source.podCertificate)) count += 1;
    if (count > 1) out.push(forbiddenValue(place, 'may not specify more than 1 volume type per source'));
  }
  return out;
}
