/**
 * A colour for each service, the same on every page and after every reload: the hash of the name chooses the hue.
 * Lightness differs by scheme so that the colour stays legible on both backgrounds.
 */
const HUES = [222, 28, 162, 340, 268, 48, 190, 96, 8, 305, 138, 240, 70, 322, 205, 15] as const;

function hashOf(name: string): number {
  let hash = 2166136261;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** Proxies carry the name of their app and namespace: `front-end.default` takes the colour of `front-end`. */
const baseOf = (service: string): string => service.replace(/\.[a-z0-9-]+$/, '');

export function serviceHue(service: string): number {
  return HUES[hashOf(baseOf(service)) % HUES.length] ?? 222;
}

/** Green and yellow look lighter than blue and red of the same lightness. */
const isBright = (hue: number): boolean => hue >= 40 && hue <= 200;

export function serviceColor(service: string, dark: boolean): string {
  const isProxy = baseOf(service) !== service;
  const hue = serviceHue(service);
  if (dark) return `hsl(${hue} ${isProxy ? 38 : 68}% ${isProxy ? 58 : 64}%)`;
  const lightness = (isBright(hue) ? 33 : 44) + (isProxy ? 5 : 0);
  return `hsl(${hue} ${isProxy ? 34 : 68}% ${lightness}%)`;
}

/** Grafana's classic palette, in its order (grafana: packages/grafana-data/src/themes/palette.ts), for series that are not services. */
export const SERIES_PALETTE = [
  '#73BF69',
  '#F2CC0C',
  '#8AB8FF',
  '#FF780A',
  '#F2495C',
  '#5794F2',
  '#B877D9',
  '#705DA0',
  '#37872D',
  '#FADE2A',
  '#447EBC',
  '#C15C17',
  '#890F02',
  '#0A437C',
  '#6D1F62',
  '#584477',
  '#B7DBAB',
  '#F4D598',
  '#70DBED',
  '#F9BA8F',
] as const;

export const paletteColor = (index: number): string => SERIES_PALETTE[index % SERIES_PALETTE.length] ?? '#5794F2';

/** The named colours of Grafana's dashboards (grafana: packages/grafana-data/src/themes/createVisualizationColors.ts). */
const NAMED: Readonly<Record<string, string>> = {
  green: '#73BF69',
  'dark-green': '#37872D',
  'semi-dark-green': '#56A64B',
  'light-green': '#96D98D',
  'super-light-green': '#C8F2C2',
  yellow: '#FADE2A',
  'dark-yellow': '#E0B400',
  'semi-dark-yellow': '#F2CC0C',
  'light-yellow': '#FFEE52',
  'super-light-yellow': '#FFF899',
  red: '#F2495C',
  'dark-red': '#C4162A',
  'semi-dark-red': '#E02F44',
  'light-red': '#FF7383',
  'super-light-red': '#FFA6B0',
  blue: '#5794F2',
  'dark-blue': '#1F60C4',
  'semi-dark-blue': '#3274D9',
  'light-blue': '#8AB8FF',
  'super-light-blue': '#C0D8FF',
  orange: '#FF9830',
  'dark-orange': '#FA6400',
  'semi-dark-orange': '#FF780A',
  'light-orange': '#FFB357',
  'super-light-orange': '#FFCB7D',
  purple: '#B877D9',
  'dark-purple': '#8F3BB8',
  'semi-dark-purple': '#A352CC',
  'light-purple': '#CA95E5',
  'super-light-purple': '#DEB6F2',
  transparent: 'transparent',
  text: 'var(--ink)',
  white: '#ffffff',
  black: '#000000',
};

export const namedColor = (name: string): string => NAMED[name] ?? name;
