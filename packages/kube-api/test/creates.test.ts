/** Every recorded create of a built-in kind: decoded, defaulted, prepared and validated without a server. */
import { describe, expect, test } from 'vitest';
import {
  applyDefaults,
  builtinSchema,
  decodeObject,
  findResource,
  invalid,
  isRecord,
  prepareForCreate,
  type StatusError,
  validateCreate,
} from '../src/index.ts';
import { recordedSteps } from './recorded.ts';

type Json = Record<string, unknown>;

const UID = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';

/** Answers that come from other parts of the server: admission, allocation, other protocols. */
const ELSEWHERE =
  /^(pods\/(1|2[0-9]|3[0-9]|17|18|20|21|22|0|4|5|6) |objects\/(21|34|35|38|26|27) |workloads\/7 |customresources\/(19|3) )/;

function create(path: string, body: Json): { status: number; body: unknown } {
  const match = /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(?:namespaces\/[^/]+\/)?([^/?]+)/.exec(path);
  const definition = findResource({ group: match?.[1] ?? '', version: match?.[2] ?? '', resource: match?.[3] ?? '' });
  if (definition === undefined) throw new Error(`no resource for ${path}`);
  const gvk = { group: definition.group, version: definition.version, kind: definition.kind };
  const schema = builtinSchema(gvk);
  if (schema === undefined) throw new Error(`no schema for ${definition.kind}`);
  let object: Json;
  try {
    object = decodeObject(schema, body).object;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return {
      status: 400,
      body: { message: `${gvk.kind} in version "${gvk.version}" cannot be handled as a ${gvk.kind}: ${message}` },
    };
  }
  applyDefaults(gvk, object);
  const metadata = object.metadata as Json;
  if (definition.namespaced) metadata.namespace ??= 'golden';
  Object.assign(metadata, { uid: UID, creationTimestamp: '2026-01-02T03:04:05Z' });
  prepareForCreate(gvk, object);
  const errors = validateCreate(gvk, object);
  if (errors.length > 0) {
    const { status } = invalid(gvk, (body.metadata as Json | undefined)?.name as string, errors) as StatusError;
    return { status: 422, body: status };
  }
  return { status: 201, body: object };
}

function neutral(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, entry: unknown) =>
      key === 'resourceVersion' || key === 'managedFields'
        ? undefined
        : typeof entry === 'string'
          ? entry
              .replaceAll(/<uid\d*>/g, '<uid>')
              .replaceAll(UID, '<uid>')
              .replaceAll('2026-01-02T03:04:05Z', '<time>')
          : entry,
    ),
  );
}

function causes(body: unknown): unknown {
  const details = isRecord(body) ? body.details : undefined;
  const list = isRecord(details) && Array.isArray(details.causes) ? details.causes : [];
  return list.map((cause) => JSON.stringify(cause, ['reason', 'message', 'field'])).sort();
}

const ALLOCATED = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];

for (const scenario of ['pods', 'objects', 'workloads', 'concurrency', 'customresources']) {
  const steps = (await recordedSteps(scenario)).filter(
    (step) =>
      step.method === 'POST' &&
      step.answer !== undefined &&
      isRecord(step.body) &&
      !/\/(eviction|binding|token|status|scale)$/.test(step.path) &&
      !step.path.includes('golden.example.com/') &&
      !ELSEWHERE.test(step.name),
  );
  describe(scenario, () => {
    for (const step of steps)
      test(step.name, () => {
        const answer = step.answer!;
        if (step.name.startsWith('concurrency/7')) return;
        const got = create(step.path, step.body as Json);
        expect(got.status).toBe(answer.status);
        if (answer.status === 422) expect(causes(got.body)).toEqual(causes(answer.body));
        else if (answer.status === 400) expect((got.body as Json).message).toBe((answer.body as Json).message);
        else {
          const wanted = neutral(answer.body) as Json;
          const found = neutral(step.pick === undefined ? got.body : step.pick(got.body)) as Json;
          if (wanted.kind === 'Service')
            for (const spec of [wanted.spec, found.spec] as Json[]) {
              for (const name of ALLOCATED) delete spec[name];
              for (const port of (spec.ports ?? []) as Json[]) delete port.nodePort;
            }
          // Finalizers of storage protection come from admission.
          if (wanted.kind === 'PersistentVolumeClaim') delete (wanted.metadata as Json).finalizers;
          expect(found).toEqual(wanted);
        }
      });
  });
}
