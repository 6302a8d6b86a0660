import { randomInt } from 'node:crypto';

/** Letters and digits that make no words and look like no others (apimachinery `util/rand`). */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_NAME_LENGTH = 63;

/** The prefix, cut where it is too long, and five random characters (apiserver `names.SimpleNameGenerator`). */
export function generateName(prefix: string): string {
  return `${prefix.slice(0, MAX_NAME_LENGTH - SUFFIX_LENGTH)}${randomSuffix(SUFFIX_LENGTH)}`;
}

export function randomSuffix(length: number): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += ALPHABET[randomInt(ALPHABET.length)];
  return suffix;
}
