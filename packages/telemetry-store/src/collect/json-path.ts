/** Takes values out of JSON by names and indexes (the part of JMESPath that pipelines of logs use). */
export type JsonPath = readonly (string | number)[];

const STEP = /^(?:\.?([A-Za-z_][\w-]*)|\.?"((?:[^"\\]|\\.)*)"|\[(-?\d+)\])/;

/** `a.b[0]."odd name"`; undefined where it is no such path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path: (string | number)[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (!match) return undefined;
    const [whole, name, quoted, index] = match;
    // A dot stands between names, and nowhere else.
    if (index === undefined && (path.length === 0) === whole.startsWith('.')) return undefined;
    if (index !== undefined) path.push(Number(index));
    else if (name !== undefined) path.push(name);
    else path.push(JSON.parse(`"${quoted}"`) as string);
    rest = rest.slice(whole.length);
  }
  return path.length === 0 ? undefined : path;
}

/** What is there as text; undefined for nothing and null. Objects and arrays are JSON. */
export function textAt(value: unknown, path: JsonPath): string | undefined {
  let found: unknown = value;
  for (const step of path)
    if (typeof step === 'number') found = Array.isArray(found) ? found.at(step) : undefined;
    else
      found =
        typeof found === 'object' && found !== null && !Array.isArray(found) && Object.hasOwn(found, step)
          ? (found as Record<string, unknown>)[step]
          : undefined;
  if (found === undefined || found === null) return undefined;
  return typeof found === 'string' ? found : JSON.stringify(found);
}
