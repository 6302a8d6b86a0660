/** `jenkins/build-image.sh` as an agent on real Kubernetes runs it: no Docker, no lab, the base from its registry. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { buildImage, createRegistry, ImageStore, pushImage, type Registry } from '@kind-e2e/oci';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'build-on-base-'));
const CLI = join(folder, 'workspace', 'packages', 'cli', 'bin', 'kind-e2e.mjs');
let registry: Registry;

beforeAll(async () => {
  registry = await createRegistry({
    directory: join(folder, 'registry'),
    listen: { port: 0 },
    clock: systemClock,
    logger: silentLogger,
  });
  await using base = await buildImage({
    layers: [{ files: { 'os-release': Buffer.from('ID=debian') }, target: '/etc' }],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  await pushImage(base.layout, `${registry.address}/library/node:24`);
  const workspace = join(folder, 'workspace');
  mkdirSync(join(workspace, 'apps', 'front-end'), { recursive: true });
  cpSync(join(ROOT, 'jenkins'), join(workspace, 'jenkins'), { recursive: true });
  // The sources, whatever bundle was built before.
  const main = pathToFileURL(join(ROOT, 'packages', 'cli', 'src', 'main.ts')).href;
  mkdirSync(dirname(CLI), { recursive: true });
  writeFileSync(
    CLI,
    `const { main } = await import(${JSON.stringify(main)});\nawait main(process.argv, ${JSON.stringify(ROOT)});\n`,
  );
  const app = join(workspace, 'apps', 'front-end');
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({
      name: 'front-end',
      version: '1.0.0',
      scripts: { build: "node -e \"fs.mkdirSync('dist',{recursive:true});fs.writeFileSync('dist/main.cjs','1')\"" },
    }),
  );
  writeFileSync(
    join(app, 'Dockerfile'),
    `ARG NODE_IMAGE=${registry.address}/library/node:24
FROM \${NODE_IMAGE} AS build
WORKDIR /src
RUN npm run build && npm sbom --omit=dev --sbom-format=cyclonedx > dist/sbom.cdx.json
FROM \${NODE_IMAGE}
COPY --from=build /src/dist /srv/app
USER 65532:65532
ENTRYPOINT ["node", "/srv/app/main.cjs"]
`,
  );
});

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['with the protocol', 'http://'],
  ['of this machine', ''],
])(
  'the image that is pushed holds its base, and its digest is what is deployed: registry %s',
  async (_, protocol) => {
    const workspace = join(folder, 'workspace');
    await run('sh', ['jenkins/build-image.sh', 'front-end'], {
      cwd: workspace,
      timeout: 60_000,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: folder,
        TAG: 'build-7',
        REGISTRY: 'localhost:5001',
        PUSH_REGISTRY: `${protocol}${registry.address}`,
      },
    });
    const digest = readFileSync(join(workspace, 'images', 'front-end.digest'), 'utf8').trim();
    const store = await ImageStore.open({ directory: mkdtempSync(join(folder, 'images-')), logger: silentLogger });
    const image = await store.pull(`${registry.address}/front-end:build-7`);
    expect(image.digest).toBe(digest);
    expect(readFileSync(join(image.rootfs, 'etc', 'os-release'), 'utf8')).toBe('ID=debian');
    expect(readFileSync(join(image.rootfs, 'srv', 'app', 'main.cjs'), 'utf8')).toBe('1');
    const bill = JSON.parse(readFileSync(join(image.rootfs, 'srv', 'app', 'sbom.cdx.json'), 'utf8')) as object;
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'front-end' } } });
    expect(image.config.config).toMatchObject({ User: '65532:65532', Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] });
  },
  90_000,
);

it('an address that is none is refused', async () => {
  const args = [CLI, 'build', join(folder, 'workspace', 'apps', 'front-end'), '--registry', 'ftp://x'];
  await expect(run(process.execPath, args, { timeout: 60_000 })).rejects.toMatchObject({
    stderr: expect.stringContaining('ftp://x is not the address of a registry') as string,
  });
}, 90_000);
