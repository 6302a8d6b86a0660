/** Shared checks with the words of Istio's (pkg/config/validation/validation.go). Each gives its problems. */
import { compileExpression } from '@kind-e2e/proxy';
import { parseDuration } from '../translate/durations.ts';

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

export function checkPort(port: number | undefined): string[] {
  return port !== undefined && port >= 1 && port <= 65_535
    ? []
    : [`port number ${port ?? 0} must be in the range 1..65535`];
}

export function checkDuration(text: string | undefined): string[] {
  if (text === undefined) return [];
  const ms = parseDuration(text);
  if (ms === undefined) return [`invalid duration: ${text}`];
  if (ms < 1) return ['duration must be greater than 1ms'];
  return Number.isInteger(Math.round(ms * 1e6) / 1e6) ? [] : ['only durations to ms precision are supported'];
}

/** A name of which the first label may be `*`. */
export function checkDomain(domain: string): string[] {
  if (domain === '') return ['empty domain name not allowed'];
  if (domain.length > 255) return [`domain name "${domain}" too long (max 255)`];
  const labels = domain.replace(/\.$/, '').split('.');
  return labels.flatMap((label, index) => {
    if (label === '*' && index === 0) return [];
    if (/^\*-[-a-zA-Z0-9]*[a-zA-Z0-9]$/.test(label) && index === 0) return [];
    if (/^[a-zA-Z0-9_](?:[-a-zA-Z0-9_]{0,61}[a-zA-Z0-9_])?$/.test(label)) return [];
    return [`domain name "${domain}" invalid (label "${label}" invalid)`];
  });
}

export function checkPercentage(value: number | undefined): string[] {
  if (value === undefined || (value >= 0 && value <= 100)) return [];
  return [`percentage ${value.toFixed(6)} is not in range 0..100`];
}

export function checkExpression(expression: string | undefined, where: string): string[] {
  if (!expression) return [];
  try {
    compileExpression(expression);
    return [];
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return [
      `"${where}": ${problem}; Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)`,
    ];
  }
}

export function checkHeaderName(name: string): string[] {
  if (name === '') return ['header name cannot be empty'];
  return /^:?[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(name) ? [] : [`header name ${name} is not a valid header name`];
}

export function checkSelector(labels: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...(key === '' ? [`empty key is not supported in selector: "${key}=${value}"`] : []),
    ...(key.includes('*') || value.includes('*') ? [`wildcard is not supported in selector: "${key}=${value}"`] : []),
  ]);
}

export function checkExportTo(namespace: string, exportTo: readonly string[] | undefined): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const entry of exportTo ?? []) {
    const key = entry === '.' ? namespace : entry;
    if (seen.has(key))
      found.push(
        key === entry
          ? `duplicate entries in exportTo for entry ${entry}`
          : `duplicate entries in exportTo: . and current namespace ${namespace}`,
      );
    else if (key !== '*' && key !== '~' && !isLabel(key))
      found.push(`only . or *, or a valid DNS 1123 label is allowed as exportTo entry: ${entry}`);
    seen.add(key);
  }
  if (seen.has('*') && (exportTo?.length ?? 0) > 1)
    found.push('cannot have both public (*) and non-public exportTo values for a resource');
  return found;
}

export function checkAddress(text: string): string[] {
  const [address = '', bits] = text.split('/');
  const valid = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)
    ? address.split('.').every((part) => Number(part) <= 255)
    : address.includes(':');
  const most = address.includes(':') ? 128 : 32;
  if (!valid) return [`${text} is not a valid IP`];
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most)
    ? []
    : [`${text} is not a valid CIDR block`];
}
