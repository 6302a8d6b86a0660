import {
  badRequest,
  type FieldError,
  forbiddenValue,
  invalid,
  invalidValue,
  unclassified,
  unsupportedValue,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import type { CreateOptions } from '../operations/create.ts';
import type { FieldValidation } from '../resources/served-resource.ts';

/** The options kinds of meta.k8s.io, which errors about a query name. */
export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions' | 'ListOptions';

export interface WriteQuery {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean | undefined;
  /** The options as webhooks are shown them, but for their kind. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** The options of a write as an object of meta.k8s.io. */
export function operationOptions(kind: OptionsKind, { given }: WriteQuery): Readonly<Record<string, unknown>> {
  return { kind, apiVersion: 'meta.k8s.io/v1', ...given };
}

/** What every write of a request says of itself to the operation that does it. */
export function writeOptions(
  { user, warnings }: Pick<ResourceRequest, 'user' | 'warnings'>,
  kind: 'CreateOptions' | 'UpdateOptions',
  query: WriteQuery,
): CreateOptions {
  const { dryRun, fieldManager } = query;
  return { user, dryRun, fieldManager, warnings, operationOptions: operationOptions(kind, query) };
}

const FIELD_VALIDATIONS: readonly FieldValidation[] = ['Ignore', 'Strict', 'Warn'];
const MAX_FIELD_MANAGER_LENGTH = 128;

export function invalidOptions(kind: OptionsKind, errors: readonly FieldError[]): Error {
  return invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

/** Reads and checks `dryRun`, `fieldManager`, `fieldValidation` and `force` (apimachinery `meta/v1/validation`). */
export function parseWriteQuery(query: URLSearchParams, kind: OptionsKind, userAgent: string): WriteQuery {
  const errors: FieldError[] = [];
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  if (dryRun.some((value) => value !== 'All')) errors.push(unsupportedValue('dryRun', dryRun, ['All']));
  const fieldManager = query.get('fieldManager') ?? '';
  if (fieldManager.length > MAX_FIELD_MANAGER_LENGTH)
    errors.push({
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      badValue: fieldManager,
      detail: `may not be more than ${MAX_FIELD_MANAGER_LENGTH} bytes`,
    });
  if (/[^\x20-\x7e\u00a0-\uffff]/.test(fieldManager))
    errors.push(invalidValue('fieldManager', fieldManager, 'should only contain printable characters'));
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (fieldValidation !== '' && !FIELD_VALIDATIONS.includes(fieldValidation as FieldValidation))
    errors.push(unsupportedValue('fieldValidation', fieldValidation, ['', ...FIELD_VALIDATIONS]));
  if (errors.length > 0) throw invalidOptions(kind, errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager === '' ? managerOfUserAgent(userAgent) : fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    given: {
      ...(dryRun.length > 0 ? { dryRun } : {}),
      ...(fieldManager === '' ? {} : { fieldManager }),
      ...(fieldValidation === '' ? {} : { fieldValidation }),
    },
    force: query.has('force') ? query.get('force') !== 'false' && query.get('force') !== '0' : undefined,
  };
}

/** The part of a User-Agent before the first slash (fieldmanager `prefixFromUserAgent`). */
function managerOfUserAgent(userAgent: string): string {
  const prefix = userAgent.split('/')[0] ?? '';
  let out = '';
  for (const char of prefix.slice(0, MAX_FIELD_MANAGER_LENGTH)) if (char >= ' ' && char !== '\x7f') out += char;
  return out === '' ? 'unknown' : out;
}

export type VersionMatch = '' | 'NotOlderThan' | 'Exact';

export interface ListQuery {
  /** As the client gave it; '' where not set. */
  readonly resourceVersion: string;
  readonly revision: number;
  readonly match: VersionMatch;
  readonly limit: number;
  readonly continue: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** Reads and checks the query of a list or watch (apimachinery `internalversion/validation.ValidateListOptions`). */
export function parseListQuery(query: URLSearchParams, isWatch: boolean): ListQuery {
  const resourceVersion = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const continueToken = query.get('continue') ?? '';
  const sendInitialEvents = booleanOf(query, 'sendInitialEvents');
  const errors: FieldError[] = [];
  if (match !== '' && isWatch && sendInitialEvents === undefined)
    errors.push(
      forbiddenValue(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  if (match !== '' && !isWatch && resourceVersion === '')
    errors.push(
      forbiddenValue('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  if (match !== '' && continueToken !== '')
    errors.push(forbiddenValue('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'));
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan')
    errors.push(unsupportedValue('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
  if (match === 'Exact' && resourceVersion === '0')
    errors.push(
      forbiddenValue('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    );
  if (sendInitialEvents !== undefined && !isWatch)
    errors.push(forbiddenValue('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  if (sendInitialEvents !== undefined && isWatch && match !== 'NotOlderThan')
    errors.push(
      forbiddenValue('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    );
  if (errors.length > 0) throw invalidOptions('ListOptions', errors);
  return {
    resourceVersion,
    revision: parseRevision(resourceVersion, !isWatch),
    match: match as VersionMatch,
    limit: integerOf(query, 'limit') ?? 0,
    continue: continueToken,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
    allowWatchBookmarks: booleanOf(query, 'allowWatchBookmarks') ?? false,
    sendInitialEvents,
  };
}

/**
 * A resourceVersion as a number; '' is 0. Only lists answer a wrong one with 400: watches and reads of one object let the
 * storage's error through, which is a 500 (kubernetes issue 139485).
 */
export function parseRevision(text: string, isList: boolean): number {
  if (text === '') return 0;
  if (/^\d+$/.test(text) && text.length <= 20) return Number(text);
  const quoted = JSON.stringify(text);
  const why = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
  const problem = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
  throw isList ? badRequest(`invalid resource version: ${problem}`) : unclassified(problem);
}

function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : value !== '0' && value.toLowerCase() !== 'false';
}

/** A number of a query; throws 400 in the words of Go's ParseInt. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}
