/** JSON Merge Patch (RFC 7386). */
import { copyJson, isRecord, type JsonRecord, setOwn } from '../values/json.ts';
import { goTypeWord } from './json-patch.ts';
import { PatchError } from './patch-error.ts';

/** The patched document; the given one is not changed. A patch that is no object is a 400. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isRecord(patch))
    throw new PatchError(
      'malformed',
      `error decoding patch: json: cannot unmarshal ${goTypeWord(patch)} into Go value of type map[string]interface {}`,
    );
  return merge(document, patch);
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return copyJson(patch);
  const out: JsonRecord = isRecord(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete out[key];
    else setOwn(out, key, merge(Object.hasOwn(out, key) ? out[key] : undefined, value));
  }
  return out;
}
