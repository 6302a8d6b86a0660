export type IntOrString = number | string;

/** The number of a percentage such as `25%`; `undefined` for other text (apimachinery `intstr`). */
export function parsePercent(value: IntOrString): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+)%$/.exec(value);
  return match === null ? undefined : Number(match[1]);
}

/** `intstr.GetScaledValueFromIntOrPercent`: an int as it is, a percentage of `total`; `undefined` for other text. */
export function scaledValue(value: IntOrString, total: number, roundUp: boolean): number | undefined {
  if (typeof value === 'number') return value;
  const percent = parsePercent(value);
  if (percent === undefined) return undefined;
  const exact = (percent * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}
