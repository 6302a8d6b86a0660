import type { Value } from './values.ts';

/** What a function gives for arguments that another function of its name may take. */
export const NOT_MINE = Object.freeze([]) as Value;
