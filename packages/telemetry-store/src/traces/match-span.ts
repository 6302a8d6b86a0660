import { type Attributes, type AttributeValue, type Span, serviceOf, type TraceSearch } from '@kind-e2e/telemetry';
import { attributeText } from './attribute-codec.ts';
import { derivedTag } from './derived-tags.ts';

/** Whether one span meets every condition of the search. */
export function matchesSpan(
  span: Span,
  plan: { readonly search: TraceSearch; readonly tags: readonly (readonly [string, string])[] },
): boolean {
  const { search, tags } = plan;
  if (search.service !== undefined && serviceOf(span) !== search.service) return false;
  if (search.operation !== undefined && span.name !== search.operation) return false;
  if (span.startTimeUnixNano < search.startNs || span.startTimeUnixNano > search.endNs) return false;
  const duration = span.endTimeUnixNano - span.startTimeUnixNano;
  if (search.minDurationNs !== undefined && duration < search.minDurationNs) return false;
  if (search.maxDurationNs !== undefined && duration > search.maxDurationNs) return false;
  return tags.every(([key, value]) => hasTag(span, key, value));
}

function hasTag(span: Span, key: string, value: string): boolean {
  if (holds(span.attributes, key, value) || holds(span.resource.attributes, key, value)) return true;
  if (span.events.some((event) => holds(event.attributes, key, value))) return true;
  return derivedTag(key)?.has(span, value) === true;
}

/** Whether there is an attribute of this key, and this value as text. */
export function holds(attributes: Attributes, key: string, value: string): boolean {
  const own: AttributeValue | undefined = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  return own !== undefined && attributeText(own) === value;
}
