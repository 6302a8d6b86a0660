/** The part of a trace that the timeline shows, as shares of its duration: how the address holds it. */
export type Zoom = [number, number];

const LEAST = 1e-6;

/** `0.25-0.5`; the whole where the text is no such part. */
export function parseZoom(text: string): Zoom {
  const match = /^(0(?:\.\d+)?|1)-(0(?:\.\d+)?|1(?:\.0+)?)$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return match && to - from >= LEAST ? [from, to] : [0, 1];
}

/** Undefined for the whole, which needs no word in the address. */
export function formatZoom([from, to]: Zoom): string | undefined {
  if (from <= 0 && to >= 1) return undefined;
  const round = (share: number): string => String(Number(share.toFixed(6)));
  return `${round(from)}-${round(to)}`;
}
