/** Envoy's response flags, short form, as far as this proxy sets them. */
export type ResponseFlag =
  | 'UH'
  | 'UF'
  | 'UO'
  | 'NR'
  | 'URX'
  | 'UT'
  | 'UC'
  | 'UR'
  | 'UPE'
  | 'DC'
  | 'DI'
  | 'FI'
  | 'UAEX'
  | 'DPE'
  | 'LR'
  | 'NC';

/** The order in which Envoy prints them (its CoreResponseFlag). */
const ORDER: readonly ResponseFlag[] = [
  'LR',
  'UH',
  'UT',
  'LR',
  'UR',
  'UF',
  'UC',
  'UO',
  'NR',
  'DI',
  'FI',
  'UAEX',
  'DC',
  'URX',
  'UPE',
  'DPE',
  'NC',
];

export function formatFlags(flags: readonly ResponseFlag[] | undefined): string {
  if (flags === undefined || flags.length === 0) return '-';
  if (flags.length === 1) return flags[0] as string;
  return [...new Set(flags)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(',');
}
