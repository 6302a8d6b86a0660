import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { builtinType, definitionName, openApiV2Protobuf, openApiV3Document, RESOURCES } from '../src/index.ts';

test.each(['generate-schemas.ts', 'generate-protobuf.ts'])('what %s writes is up to date', (script) => {
  const file = fileURLToPath(new URL(`../scripts/${script}`, import.meta.url));
  const run = spawnSync(process.execPath, [file, '--check'], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test('every resource but metrics has a schema', () => {
  for (const resource of RESOURCES)
    if (resource.group !== 'metrics.k8s.io')
      expect(builtinType(definitionName(resource)), definitionName(resource)).toBeDefined();
});

test('references of the OpenAPI documents lead somewhere', async () => {
  for (const { group, version } of RESOURCES) {
    const document = (await openApiV3Document({ group, version })) as {
      components: { schemas: Record<string, unknown> };
    };
    const text = JSON.stringify(document);
    for (const match of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(document.components.schemas, match[1]).toHaveProperty([match[1] ?? '']);
  }
});

test('explain finds descriptions', async () => {
  const document = (await openApiV3Document({ group: 'apps', version: 'v1' })) as {
    components: {
      schemas: Record<string, { description: string; properties: Record<string, { description: string }> }>;
    };
    paths: Record<string, { patch: { parameters: { name: string }[] } }>;
  };
  const spec = document.components.schemas['io.k8s.api.apps.v1.DeploymentSpec']!;
  expect(spec.description).toBe('DeploymentSpec is the specification of the desired behavior of the Deployment.');
  expect(spec.properties.paused!.description).toBe('Indicates that the deployment is paused.');
  const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']!.patch;
  expect(patch.parameters.map((parameter) => parameter.name)).toContain('fieldValidation');
});

test('version 2 is a protobuf document with all definitions', async () => {
  const bytes = await openApiV2Protobuf();
  expect([...bytes.subarray(0, 5)]).toEqual([0x0a, 3, 0x32, 0x2e, 0x30]);
  expect(bytes.length).toBeGreaterThan(500_000);
});
