import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { type BuiltImage, buildImage, isLoopbackRegistry, type LayerSource, pullBase, pushImage } from '@kind-e2e/oci';
import { execa } from 'execa';
import { type FinalStage, parseDockerfile } from './dockerfile.ts';
import { PROCESS_FLAGS } from './process-flags.ts';
import { writeSbom } from './sbom.ts';

export interface BuildAppOptions {
  /** Folder with a Dockerfile and a package.json that has a `build` script. */
  readonly folder: string;
  /** `localhost:5001` */
  readonly registry: string;
  /** Default: the folder's name. */
  readonly name?: string;
  /** Default: the version of package.json. */
  readonly tag?: string;
  /** Run the `build` script first. Default true. */
  readonly compile?: boolean;
  /** Put the image of the Dockerfile's last FROM below, so that any container runtime can run it. Default false. */
  readonly withBase?: boolean;
  /** Put what `npm sbom` lists beside the program, where the Dockerfile says. Default false: npm takes a second for it. */
  readonly sbom?: boolean;
  /** Push over plain HTTP. Default: to loopback hosts, as Docker does. */
  readonly plainHttp?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

export interface PushedImage {
  readonly reference: string;
  readonly digest: string;
}

/** Builds an app's image from its Dockerfile's last stage, without Docker, and pushes it. */
export async function buildApp(options: BuildAppOptions): Promise<PushedImage> {
  const folder = resolve(options.folder);
  const manifest = await readManifest(folder);
  const env = options.env ?? process.env;
  if (options.compile ?? true) await compile(folder, manifest.scripts, env);
  const file = join(folder, 'Dockerfile');
  const stage = parseDockerfile(await readFile(file, 'utf8'), file);
  if (options.sbom ?? false) await writeSbom(folder, stage, env);
  const name = options.name ?? basename(folder);
  const reference = `${options.registry}/${name}:${options.tag ?? manifest.version}`;
  await using image = await buildStage(folder, stage, options.withBase ?? false);
  const { plainHttp } = options;
  const isPlainHttp = (registry: string): boolean => plainHttp ?? isLoopbackRegistry(registry);
  const digest = await pushImage(image.layout, reference, { isPlainHttp });
  return { reference, digest };
}

type Scripts = Readonly<Record<string, string>>;

async function readManifest(folder: string): Promise<{ version: string; scripts: Scripts }> {
  for (const file of ['Dockerfile', 'package.json'])
    if (!existsSync(join(folder, file)))
      throw new LabError(`${folder} has no ${file}`, {
        code: 'NOT_AN_APP',
        side: 'user',
        remedy: 'name a folder with a Dockerfile and a package.json, such as apps/front-end',
      });
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    version?: string;
    scripts?: Scripts;
  };
  return { version: manifest.version ?? 'latest', scripts: manifest.scripts ?? {} };
}

/**
 * Runs the `build` script: by Node itself, which starts a tenth of a second sooner than npm, unless there are scripts
 * before or after it, which `node --run` leaves out (https://nodejs.org/api/cli.html#--run).
 */
async function compile(folder: string, scripts: Scripts, env: NodeJS.ProcessEnv): Promise<void> {
  const needsNpm = scripts.build === undefined || 'prebuild' in scripts || 'postbuild' in scripts;
  const [program, ...args] = needsNpm ? ['npm', 'run', 'build', '--silent'] : [process.execPath, '--run', 'build'];
  const result = await execa(program, args, { cwd: folder, env, reject: false, all: true });
  if (result.exitCode !== 0)
    throw new LabError(`npm run build failed in ${folder}:\n${result.all}`, {
      code: 'APP_BUILD_FAILED',
      side: 'user',
      remedy: 'mend what it says and try again',
    });
}

async function buildStage(folder: string, stage: FinalStage, withBase: boolean): Promise<BuiltImage> {
  const layers: LayerSource[] = [];
  for (const copy of stage.copies) layers.push(await layerOf(join(folder, copy.from), copy.to));
  if (withBase && stage.base === undefined)
    throw new LabError(`the last stage of ${join(folder, 'Dockerfile')} is not built on an image`, {
      code: 'DOCKERFILE_REFUSED',
      side: 'user',
      remedy: 'name one in its FROM, or build with docker build',
    });
  await using base = withBase && stage.base !== undefined ? await pullBase(stage.base) : undefined;
  return await buildImage({
    ...(base ? { base } : {}),
    layers,
    entrypoint: stage.entrypoint,
    cmd: stage.cmd,
    env: stage.env,
    labels: stage.labels,
    workingDir: stage.workingDir,
    exposedPorts: stage.exposedPorts,
    ...(stage.user === undefined ? {} : { user: stage.user }),
    ...(stage.stopSignal === undefined ? {} : { stopSignal: stage.stopSignal }),
  });
}

/** As COPY does: a folder's content goes into the target, a file becomes the target. */
async function layerOf(source: string, target: string): Promise<LayerSource> {
  const found = await stat(source).catch((error: unknown) => {
    throw new LabError(`${source}, which the Dockerfile copies, was not built`, {
      code: 'APP_NOT_BUILT',
      side: 'user',
      remedy: "run the app's build script",
      cause: error,
    });
  });
  if (found.isDirectory()) return { directory: source, target };
  return { files: { [basename(target)]: await readFile(source) }, target: dirname(target) };
}

/** The image of one of our own processes: a folder with `main.mjs`. */
export async function pushProcessImage(
  folder: string,
  reference: string,
  flags: readonly string[] = PROCESS_FLAGS,
): Promise<PushedImage> {
  await using image = await buildImage({
    layers: [{ directory: folder, target: '/srv' }],
    entrypoint: ['node', ...flags, '/srv/main.mjs'],
    workingDir: '/srv',
    user: '65532:65532',
    env: { NODE_ENV: 'production' },
  });
  return { reference, digest: await pushImage(image.layout, reference) };
}
