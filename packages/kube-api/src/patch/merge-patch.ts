/** JSON Merge Patch (RFC 7386). */
import { copyJson, isRecord, type JsonRecord, setOwn } from '../values/json.ts';
import { goTypeWord } from './json-patch.ts';
import { PatchError } from './patch-error.ts';

/** The patched document; the given one is not changed. A patch that is no object is a 400. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  // `jsonpatch.ErrBadJSONPatch`: encoding/json reads null, the library does not take it.
  if (patch === null) throw new PatchError('malformed', 'Invalid JSON Patch');
  if (!isRecord(patch))
    throw new PatchError(
      'malformed',
      `error decoding patch: json: cannot unmarshal ${goTypeWord(patch)} into Go value of type map[string]interface {}`,
    );
  return merge(document, patch);
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return copyJson(patch);
  const merged: JsonRecord = isRecord(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else setOwn(merged, key, merge(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  // The library writes every map it touched with sorted keys; error messages show the result.
  const out: JsonRecord = {};
  for (const key of Object.keys(merged).sort()) setOwn(out, key, merged[key]);
  return out;
}
