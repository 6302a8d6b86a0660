/** The recorded patches and applies, one after the other on an object in memory. */
import { describe, expect, test } from 'vitest';
import {
  applyDefaults,
  applyJsonPatch,
  applyMergePatch,
  applyPatch,
  applyStrategicMergePatch,
  builtinSchema,
  decodeObject,
  goFormat,
  invalid,
  isRecord,
  isStatusError,
  PatchError,
  prepareForCreate,
  prepareForUpdate,
  trackUpdate,
} from '../src/index.ts';
import { recordedSteps, type Step } from './recorded.ts';

type Json = Record<string, unknown>;

const KINDS: Record<string, { group: string; version: string; kind: string }> = {
  deployments: { group: 'apps', version: 'v1', kind: 'Deployment' },
  configmaps: { group: '', version: 'v1', kind: 'ConfigMap' },
  services: { group: '', version: 'v1', kind: 'Service' },
};

/** Just enough of a server for patches: no admission, no storage, no validation. */
class Memory {
  readonly objects = new Map<string, Json>();
  readonly #now = '2026-01-02T03:04:05Z';

  handle(step: Step): { status: number; body: unknown } {
    const match = /\/golden\/([a-z]+)(?:\/([^/?]+))?(?:\?(.*))?$/.exec(step.path);
    const gvk = KINDS[match?.[1] ?? '']!;
    const query = new URLSearchParams(match?.[3] ?? '');
    const schema = builtinSchema(gvk)!;
    const body = step.body as Json;
    const name = match?.[2] ?? ((body.metadata as Json).name as string);
    const key = `${gvk.kind}/${name}`;
    const live = this.objects.get(key);
    const manager = query.get('fieldManager') ?? 'golden';
    const store = (object: Json, status: number): { status: number; body: unknown } => {
      const metadata = object.metadata as Json;
      Object.assign(metadata, { namespace: 'golden', uid: '<uid>', creationTimestamp: this.#now });
      if (live === undefined) prepareForCreate(gvk, object);
      else prepareForUpdate(gvk, object, live);
      if (query.get('dryRun') === null) this.objects.set(key, object);
      return { status, body: object };
    };
    if (step.contentType === 'application/apply-patch+yaml') {
      const object = applyPatch({
        schema,
        gvk,
        ...(live === undefined ? {} : { live }),
        applied: body,
        manager,
        force: query.get('force') === 'true',
        now: this.#now,
        applyDefaults: (merged) => applyDefaults(gvk, merged),
      });
      return store(object, live === undefined ? 201 : 200);
    }
    let next: unknown = body;
    if (step.contentType === 'application/json-patch+json') next = applyJsonPatch(live, step.body);
    if (step.contentType === 'application/merge-patch+json') next = applyMergePatch(live, step.body);
    const strategic = step.contentType === 'application/strategic-merge-patch+json';
    if (strategic) next = applyStrategicMergePatch(live!, step.body, schema);
    let object: Json;
    try {
      object = decodeObject(schema, next, { words: strategic ? 'unstructured' : 'json' }).object;
    } catch (error) {
      const shown = strategic ? goFormat(step.body) : JSON.stringify(next);
      throw invalid({ group: '', kind: '' }, '', [
        { type: 'FieldValueInvalid', field: 'patch', badValue: shown, detail: (error as Error).message },
      ]);
    }
    applyDefaults(gvk, object);
    trackUpdate({ schema, gvk, ...(live === undefined ? {} : { live }), object, manager, now: this.#now });
    return store(object, live === undefined ? 201 : 200);
  }
}

function neutral(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, entry: unknown) => {
      if (key === 'resourceVersion' || key === 'status') return undefined;
      if (['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'].includes(key)) return undefined;
      return typeof entry === 'string'
        ? entry.replaceAll(/<uid\d*>/g, '<uid>').replaceAll('2026-01-02T03:04:05Z', '<time>')
        : entry;
    }),
  );
}

/** Answers that other parts of the server give. */
const ELSEWHERE = new Set([
  'patches/27', // name in the body
  'patches/28', // no JSON
  'patches/32', // shows the object as a controller left it
  'patches/34', // resourceVersion
  'patches/35', // content type
  'patches/36', // no such object
  'patches/39',
  'apply/8', // query
  'apply/9', // name in the body
  'apply/11', // YAML
  'apply/18',
]);

for (const scenario of ['patches', 'apply'] as const) {
  describe(scenario, async () => {
    const memory = new Memory();
    for (const step of await recordedSteps(scenario)) {
      if (step.method === 'GET') continue;
      const id = step.name.split(' ')[0] ?? '';
      if (ELSEWHERE.has(id)) continue;
      test(step.name, () => {
        let got: { status: number; body: unknown };
        try {
          got = memory.handle(step);
        } catch (error) {
          if (isStatusError(error)) got = { status: error.code, body: error.status };
          else if (error instanceof PatchError)
            got = {
              status: { malformed: 400, 'too-many': 413, inapplicable: 422, internal: 500, invalid: 422 }[
                error.problem
              ],
              body: error.problem === 'inapplicable' ? undefined : { message: error.message },
            };
          else throw error;
        }
        if (step.silent) return;
        const answer = step.answer!;
        expect(got.status, JSON.stringify(got.body)).toBe(answer.status);
        if (answer.status < 300) {
          const wanted = neutral(answer.body) as Json;
          const found = neutral(step.pick === undefined ? got.body : step.pick(got.body)) as Json;
          if (scenario === 'patches')
            for (const entry of [wanted, found]) if (isRecord(entry.m)) delete entry.m.generation;
          expect(found).toEqual(wanted);
        } else if (got.body !== undefined) {
          const { message } = answer.body as Json;
          expect((got.body as Json).message).toBe(message);
        }
      });
    }
  });
}
