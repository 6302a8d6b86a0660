/** What the filters of chunks have in common: bits for groups of six bytes, in as many bytes as the text asks for. */
export const GROUP_BYTES = 6;
export const MIN_FILTER_BYTES = 64;
/** Bytes of text for each byte of the filter. */
const TEXT_PER_BYTE = 40;

export function filterBytes(textLength: number): number {
  let bytes = MIN_FILTER_BYTES;
  while (bytes * TEXT_PER_BYTE < textLength) bytes *= 2;
  return bytes;
}

/** Of six bytes: the first three and the last three, each in 24 bits. */
export function groupHash(before: number, group: number): number {
  const mixed = Math.imul(before ^ Math.imul(group, 0x85ebca6b), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
