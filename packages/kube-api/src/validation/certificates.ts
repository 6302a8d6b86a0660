/** Certificate signing requests (`pkg/apis/certificates/validation`); the request's own signature is not checked. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, jsonEquals } from '../values/json.ts';
import { signerName } from './signer-name.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const MIN_SECONDS = 600;
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const DECISIONS = ['Approved', 'Denied'];
/** Conditions that are true or not there. */
const TRUE_ONLY = [...DECISIONS, 'Failed'];

export function validateCertificateRequest(csr: JsonRecord): FieldError[] {
  const spec = recordAt(csr, 'spec') ?? {};
  const out: FieldError[] = [];
  const request = stringAt(spec, 'request');
  const pem = Buffer.from(request, 'base64').toString('latin1');
  if (/-----BEGIN ([^-]*)-----/.exec(pem)?.[1] !== 'CERTIFICATE REQUEST')
    out.push(invalidValue('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'));
  const usages = stringsAt(spec, 'usages');
  if (usages.length === 0) out.push(requiredValue('spec.usages'));
  for (const [index, usage] of usages.entries())
    if (!USAGES.includes(usage)) out.push(unsupportedValue(`spec.usages[${index}]`, usage, USAGES));
  for (const [index, usage] of usages.entries())
    if (usages.indexOf(usage) < index) out.push(duplicateValue(`spec.usages[${index}]`, usage));
  const signer = stringAt(spec, 'signerName');
  if (signer === LEGACY_SIGNER)
    out.push(invalidValue('spec.signerName', signer, 'the legacy signerName is not allowed via this API version'));
  else out.push(...signerName(signer, 'spec.signerName'));
  const seconds = spec.expirationSeconds;
  if (typeof seconds === 'number' && seconds < MIN_SECONDS)
    out.push(
      invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds (10 minutes)'),
    );
  out.push(...conditionProblems(csr));
  return out;
}

function conditionsOf(csr: JsonRecord, type?: string): JsonRecord[] {
  const all = recordsAt(recordAt(csr, 'status') ?? {}, 'conditions');
  return type === undefined ? all : all.filter((condition) => condition.type === type);
}

function conditionProblems(csr: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, condition] of conditionsOf(csr).entries()) {
    const path = `status.conditions[${index}]`;
    const type = stringAt(condition, 'type');
    const status = stringAt(condition, 'status');
    if (type === '') out.push(requiredValue(`${path}.type`));
    const allowed = TRUE_ONLY.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') out.push(requiredValue(`${path}.status`));
    else if (!allowed.includes(status)) out.push(unsupportedValue(`${path}.status`, status, allowed));
    const other = DECISIONS.find((decision) => decision !== type);
    if (DECISIONS.includes(type) && other !== undefined && seen.has(other))
      out.push(invalidValue('status.conditions', type, 'Approved and Denied conditions are mutually exclusive'));
    if (seen.has(type)) out.push(duplicateValue(`${path}.type`, type));
    seen.add(type);
  }
  return out;
}

/** An update of the request itself: what was decided stays. */
export function validateCertificateRequestUpdate(csr: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateCertificateRequest(csr),
    ...decisionProblems(csr, old, false),
    ...certificateProblems(csr, old, false),
  ];
}

export function validateCertificateRequestStatus(csr: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateCertificateRequest(csr),
    ...decisionProblems(csr, old, false),
    ...certificateProblems(csr, old, true),
  ];
}

export function validateCertificateApproval(csr: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...validateCertificateRequest(csr),
    ...decisionProblems(csr, old, true),
    ...certificateProblems(csr, old, false),
  ];
}

function decisionProblems(csr: JsonRecord, old: JsonRecord, mayDecide: boolean): FieldError[] {
  const out: FieldError[] = [];
  for (const type of TRUE_ONLY)
    if (conditionsOf(csr, type).length < conditionsOf(old, type).length)
      out.push(forbiddenValue('status.conditions', `updates may not remove a condition of type "${type}"`));
  if (mayDecide) return out;
  for (const type of DECISIONS) {
    const [now, before] = [conditionsOf(csr, type), conditionsOf(old, type)];
    if (now.length > before.length)
      out.push(forbiddenValue('status.conditions', `updates may not add a condition of type "${type}"`));
    else if (now.length === before.length && !jsonEquals(now, before))
      out.push(forbiddenValue('status.conditions', `updates may not modify a condition of type "${type}"`));
  }
  return out;
}

function certificateProblems(csr: JsonRecord, old: JsonRecord, maySet: boolean): FieldError[] {
  const now = stringAt(recordAt(csr, 'status') ?? {}, 'certificate');
  const before = stringAt(recordAt(old, 'status') ?? {}, 'certificate');
  if (now === before) return [];
  const out: FieldError[] = [];
  const pem = Buffer.from(now, 'base64').toString('latin1');
  const block = /-----BEGIN ([^-]*)-----/.exec(pem)?.[1];
  const broken =
    now === '' || block === 'CERTIFICATE'
      ? undefined
      : block === undefined
        ? 'must contain at least one CERTIFICATE PEM block'
        : `only CERTIFICATE PEM blocks are allowed, found "${block}"`;
  if (broken !== undefined) out.push(invalidValue('status.certificate', '<certificate data>', broken));
  if (!maySet) out.push(forbiddenValue('status.certificate', 'updates may not set certificate content'));
  else if (before !== '')
    out.push(forbiddenValue('status.certificate', 'updates may not modify existing certificate content'));
  return out;
}
