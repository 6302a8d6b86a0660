/** Deeper documents are refused; no real object comes near (Go's own limit is 10,000). */
export const MAX_NESTING = 500;

/** Whether JSON text nests deeper than is read, without parsing it. */
export function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_NESTING) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

/** The same of a value that was parsed already. */
export function isValueTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth > MAX_NESTING) return true;
  return Object.values(value).some((item) => isValueTooDeep(item, depth + 1));
}
