/** Names of signers of certificates (`ValidateSignerName` of pkg/apis/core/validation/names.go). */
import { type FieldError, goQuote, invalidValue, requiredValue, tooLong } from '../errors/field-error.ts';
import { invalidMessages } from './field-rules.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';

const MAX_DOMAIN = 253;
const MAX_NAME = 571;

/** The first part of a dotted name that is wrong, and why; one part is enough to tell. */
function wrongParts(text: string, field: string, check: (part: string) => string[]): FieldError[] {
  for (const part of text.split('.')) {
    const problems = check(part);
    if (problems.length > 0)
      return invalidMessages(
        field,
        text,
        problems.map((problem) => `validating label ${goQuote(part)}: ${problem}`),
      );
  }
  return [];
}

/** A domain and a path below it: `example.com/my-signer`. */
export function signerName(name: string, field: string): FieldError[] {
  if (name === '') return [requiredValue(field)];
  const [domain = '', path, ...rest] = name.split('/');
  if (path === undefined || rest.length > 0)
    return [
      invalidValue(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
    ];
  const out = domain.length > MAX_DOMAIN ? [tooLong(field, MAX_DOMAIN)] : [];
  out.push(...wrongParts(domain, field, isDns1123Label));
  if (!domain.includes('.'))
    out.push(invalidValue(field, domain, 'should be a domain with at least two segments separated by dots'));
  out.push(...wrongParts(path, field, isDns1123Subdomain));
  if (name.length > MAX_NAME) out.push(tooLong(field, MAX_NAME));
  return out;
}

/** Bundles of a signer have its name before theirs (`ValidateClusterTrustBundleName`). */
export function trustBundleNameProblems(name: string, signer: string): string[] {
  if (signer === '')
    return name.includes(':')
      ? ['ClusterTrustBundle without signer name must not have ":" in its name']
      : isDns1123Subdomain(name);
  const prefix = `${signer.replaceAll('/', ':')}:`;
  return name.startsWith(prefix)
    ? isDns1123Subdomain(name.slice(prefix.length))
    : [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`];
}
