import { isRecord, type KubeObject } from '@kind-e2e/kube-api';

/** The value at a path of member names; undefined where there is none. */
export function readPath(object: KubeObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Sets the value at a path, making the objects on the way. */
export function writePath(object: KubeObject, path: readonly string[], value: unknown): void {
  let place = object as Record<string, unknown>;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(place, name) ? place[name] : undefined;
    if (isRecord(next)) place = next;
    else {
      const made: Record<string, unknown> = {};
      place[name] = made;
      place = made;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) place[last] = value;
}
