import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { pack } from 'tar-stream';

/** What stands for npm in a base without a network: packages are there, scripts of package.json run. */
const NPM = `#!/bin/sh
case "$1" in
  install) ;;
  run) node -e 'const { scripts } = require("/src/package.json"); process.stdout.write(scripts[process.argv[1]])' "$2" >/tmp/script && . /tmp/script ;;
  sbom) echo '{"bomFormat":"CycloneDX"}' ;;
  *) echo "npm $1 is not here" >&2; exit 1 ;;
esac
`;

/**
 * The tar of a root file system with Node, a shell and an app's packages, all from this machine: a base image that
 * nothing has to be downloaded for.
 */
export function nodeBaseImage(root: string, folder: string): NodeJS.ReadableStream {
  const tar = pack();
  const names = new Set<string>();
  const file = (name: string, content: Buffer, mode: number): void => {
    if (names.has(name)) return;
    names.add(name);
    tar.entry({ name, mode, size: content.length }, content);
  };
  const program = (name: string, path: string): void => {
    const real = realpathSync(path);
    for (const library of libraries(real)) file(library.slice(1), readFileSync(library), 0o755);
    file(name, readFileSync(real), 0o755);
  };
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  program('usr/local/bin/node', process.execPath);
  program('bin/sh', '/bin/sh');
  file('usr/local/bin/npm', Buffer.from(NPM), 0o755);
  for (const found of packagesOf(folder, root))
    for (const path of filesBelow(found))
      file(
        join('src', 'node_modules', relative(join(root, 'node_modules'), path)),
        readFileSync(path),
        statSync(path).mode & 0o777,
      );
  tar.finalize();
  return tar as unknown as NodeJS.ReadableStream;
}

/** Shared libraries of a program, the loader among them. */
function libraries(path: string): readonly string[] {
  const text = execFileSync('ldd', [path], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+\.so\S*)/g)].map((match) => match[1] ?? '');
}

/** Folders of all packages that an app needs to be built, as Node would find them. */
function packagesOf(folder: string, root: string): readonly string[] {
  const found = new Set<string>();
  const visit = (from: string, withDevelopment: boolean): void => {
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
    const needed = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...(withDevelopment ? manifest.devDependencies : {}),
    };
    for (const name of Object.keys(needed)) {
      const place = placeOf(name, from, root);
      if (place === undefined || found.has(place)) continue;
      found.add(place);
      visit(place, false);
    }
  };
  visit(folder, true);
  return [...found];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function placeOf(name: string, from: string, root: string): string | undefined {
  for (let at = from; at.startsWith(root); at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (basename(at) !== 'node_modules' && existsSync(join(place, 'package.json'))) return place;
  }
  return undefined;
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}
