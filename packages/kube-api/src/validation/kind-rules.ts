/** Which names a kind may have, and its own checks. */
import type { FieldError } from '../errors/field-error.ts';
import type { JsonRecord } from '../values/json.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';
import { type NameRule, nameRule, pathSegmentName } from './object-meta.ts';

export const subdomainName = nameRule(isDns1123Subdomain);
export const labelName = nameRule(isDns1123Label);
export { pathSegmentName };

export interface KindRules {
  readonly name: NameRule;
  readonly create?: (object: JsonRecord) => FieldError[];
  /** Checks of the change alone; `create` is not run by itself on updates. */
  readonly update?: (object: JsonRecord, old: JsonRecord) => FieldError[];
  /**
   * What the kind's own check of an update says of metadata, besides the store's: what changed (where this is left
   * out), the whole, both, or nothing.
   */
  readonly metadataOnUpdate?: 'whole' | 'both' | 'nothing';
  readonly status?: (object: JsonRecord, old: JsonRecord) => FieldError[];
  /** Of a certificate signing request. */
  readonly approval?: (object: JsonRecord, old: JsonRecord) => FieldError[];
}
