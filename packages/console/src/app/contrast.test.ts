import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { serviceColor } from '../units/service-color.ts';

const css = readFileSync(new URL('./global.css', import.meta.url), 'utf8');
const AA_TEXT = 4.5;
const AA_GRAPHIC = 3;

function token(name: string, scheme: 'light' | 'dark'): string {
  const match = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  const color = match?.[scheme === 'light' ? 1 : 2];
  if (color === undefined) throw new Error(`no token ${name}`);
  return color;
}

function channels(color: string): number[] {
  if (color.startsWith('#')) return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
  const [h = 0, s = 0, l = 0] = [...color.matchAll(/[\d.]+/g)].map((match) => Number(match[0]));
  const a = (s / 100) * Math.min(l / 100, 1 - l / 100);
  return [0, 8, 4].map((n) => {
    const k = (n + h / 30) % 12;
    return l / 100 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  });
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = channels(color).map((value) =>
    value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

const pairs = ['bg', 'surface', 'surface-2'].flatMap((surface) =>
  ['ink', 'ink-2', 'ink-3', 'accent', 'ok', 'warn', 'bad'].map((ink) => [ink, surface] as const),
);
const soft = ['ok', 'warn', 'bad', 'accent'].map((tone) => [tone, `${tone}-soft`] as const);

it.each(['light', 'dark'] as const)('text is legible by WCAG AA in the %s scheme', (scheme) => {
  const poor = [...pairs, ...soft].filter(
    ([ink, surface]) => contrast(token(ink, scheme), token(surface, scheme)) < AA_TEXT,
  );
  expect(
    poor.map(
      ([ink, surface]) => `${ink} on ${surface}: ${contrast(token(ink, scheme), token(surface, scheme)).toFixed(2)}`,
    ),
  ).toEqual([]);
});

it.each(['light', 'dark'] as const)('the colours of services stand out in the %s scheme', (scheme) => {
  const names = Array.from({ length: 60 }, (_, index) =>
    index % 2 === 0 ? `service-${index}` : `service-${index}.default`,
  );
  const poor = names.filter(
    (name) => contrast(serviceColor(name, scheme === 'dark'), token('surface', scheme)) < AA_GRAPHIC,
  );
  expect(
    poor.map(
      (name) =>
        `${serviceColor(name, scheme === 'dark')} ${contrast(serviceColor(name, scheme === 'dark'), token('surface', scheme)).toFixed(2)}`,
    ),
  ).toEqual([]);
});
