/**
 * Proves the layers of the design: a package imports only what its package.json names, and only packages of a lower
 * level; apps import no package of ours; browser-safe packages import nothing of Node.
 */
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  'kind-e2e'?: { layer: number; browserSafe?: boolean };
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;
const problems: string[] = [];
const manifests = globSync([
  'packages/*/package.json',
  'apps/*/package.json',
  'e2e/package.json',
  'bench/package.json',
]).map((path) => ({ folder: dirname(path), manifest: JSON.parse(readFileSync(path, 'utf8')) as Manifest }));
const byName = new Map(manifests.map((entry) => [entry.manifest.name, entry]));
const builtins = new Set(builtinModules);

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

for (const { folder, manifest } of manifests) {
  const own = manifest['kind-e2e'];
  const isApp = folder.startsWith('apps/');
  if (!isApp && own === undefined) problems.push(`${folder}/package.json: no "kind-e2e": { "layer": … }`);
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const other = byName.get(name)?.manifest['kind-e2e'];
    if (!byName.has(name)) continue;
    if (isApp) problems.push(`${folder}/package.json: an app depends on ${name}; apps import nothing of ours`);
    else if (own && other && other.layer >= own.layer)
      problems.push(`${folder}/package.json: level ${own.layer} depends on ${name} of level ${other.layer}`);
  }
  for (const file of globSync([`${folder}/**/*.ts`, `${folder}/**/*.tsx`], {
    exclude: (path) => /node_modules|dist|testdata/.test(String(path)),
  })) {
    const isTest = folder === 'e2e' || /\.test\.tsx?$|\/test\/|\/testing\/|vite\.config|scripts\//.test(file);
    const source = readFileSync(file, 'utf8');
    for (const match of source.matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? match[3] ?? '';
      if (specifier.startsWith('.')) {
        if (!join(dirname(file), specifier).startsWith(folder))
          problems.push(`${file}: ${specifier} leaves its package`);
        continue;
      }
      const isBuiltin = specifier.startsWith('node:') || builtins.has(specifier);
      if (isBuiltin) {
        if (own?.browserSafe && !isTest) problems.push(`${file}: ${specifier} in a browser-safe package`);
        continue;
      }
      const name = packageOf(specifier);
      if (isApp && byName.has(name)) problems.push(`${file}: an app imports ${name}`);
      const declared =
        name === manifest.name ||
        name in (manifest.dependencies ?? {}) ||
        (isTest && (name in (manifest.devDependencies ?? {}) || ['vitest'].includes(name)));
      const isTypeImport = /import\s+type\b/.test(match[0]) && name in (manifest.devDependencies ?? {});
      if (!declared && !isTypeImport)
        problems.push(`${file}: ${name} is not in the dependencies of ${folder}/package.json`);
    }
  }
}

if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  console.error(`${problems.length} problem(s) with the layers`);
  process.exit(1);
}
console.log(`layers: ${manifests.length} packages in order`);
