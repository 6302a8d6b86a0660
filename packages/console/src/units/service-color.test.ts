import { expect, it } from 'vitest';
import { namedColor, serviceColor, serviceHue } from './service-color.ts';

it('gives a service the same colour every time, and its sidecar the same hue', () => {
  expect(serviceColor('front-end', false)).toBe(serviceColor('front-end', false));
  expect(serviceHue('front-end.default')).toBe(serviceHue('front-end'));
  expect(serviceHue('front-end')).not.toBe(serviceHue('business-logic'));
});

it('leaves colours that are not names alone', () => {
  expect(namedColor('#123456')).toBe('#123456');
  expect(namedColor('red')).toBe('#F2495C');
});
