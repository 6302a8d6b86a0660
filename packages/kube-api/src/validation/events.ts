/** Events of both groups (`pkg/apis/core/validation/events.go`). */
import { type FieldError, invalidValue, requiredValue } from '../errors/field-error.ts';
import { numberAt, recordAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { byteLength, isQualifiedName } from './names.ts';

const MAX_LENGTH = 128;
const MAX_NOTE_BYTES = 1024;

/** core/v1 asks only that an event lies in the namespace of what it is about. */
export function validateEvent(object: JsonRecord): FieldError[] {
  return namespaceOf(object, recordAt(object, 'involvedObject') ?? {}, 'involvedObject.namespace');
}

function namespaceOf(object: JsonRecord, involved: JsonRecord, field: string): FieldError[] {
  const namespace = stringAt(recordAt(object, 'metadata'), 'namespace');
  const own = stringAt(involved, 'namespace');
  const isGood =
    own === '' ? namespace === '' || namespace === 'default' || namespace === 'kube-system' : own === namespace;
  return isGood ? [] : [invalidValue(field, own, 'does not match event.namespace')];
}

/** events.k8s.io/v1 wants the new fields and none of the old. */
export function validateNewEvent(object: JsonRecord): FieldError[] {
  const out = [
    ...namespaceOf(object, recordAt(object, 'regarding') ?? {}, 'involvedObject.namespace'),
    ...newFields(object),
  ];
  const isSet = (value: unknown): boolean => value !== undefined && value !== null;
  if (!isSet(object.eventTime)) out.push(requiredValue('eventTime'));
  const type = stringAt(object, 'type');
  if (type !== 'Normal' && type !== 'Warning') out.push(invalidValue('type', '', `has invalid value: ${type}`));
  const source = recordAt(object, 'deprecatedSource') ?? {};
  const old: readonly (readonly [string, boolean])[] = [
    ['firstTimestamp', isSet(object.deprecatedFirstTimestamp)],
    ['lastTimestamp', isSet(object.deprecatedLastTimestamp)],
    ['count', (numberAt(object, 'deprecatedCount') ?? 0) !== 0],
    ['source', stringAt(source, 'component') !== '' || stringAt(source, 'host') !== ''],
  ];
  for (const [name, isThere] of old) if (isThere) out.push(invalidValue(name, '', 'needs to be unset'));
  return out;
}

/** Asked of events with a time in the new field only. */
function newFields(object: JsonRecord): FieldError[] {
  if (object.eventTime === undefined || object.eventTime === null) return [];
  const out: FieldError[] = [];
  const controller = stringAt(object, 'reportingController');
  if (controller === '') out.push(requiredValue('reportingController'));
  out.push(...invalidMessages('reportingController', controller, isQualifiedName(controller)));
  for (const name of ['reportingInstance', 'action', 'reason']) {
    const value = stringAt(object, name);
    if (value === '') out.push(requiredValue(name));
    if (byteLength(value) > MAX_LENGTH) out.push(invalidValue(name, '', `can have at most ${MAX_LENGTH} characters`));
  }
  if (byteLength(stringAt(object, 'note')) > MAX_NOTE_BYTES)
    out.push(invalidValue('message', '', `can have at most ${MAX_NOTE_BYTES} characters`));
  return out;
}
