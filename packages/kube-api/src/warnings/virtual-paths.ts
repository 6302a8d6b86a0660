/** Files of one volume that lie in each other's way (`warningsForOverlappingVirtualPaths` of `pkg/api/pod/warnings.go`). */
import { goQuote } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';

interface Placed {
  readonly path: string;
  /** Where the file comes from; empty in volumes of one source. */
  readonly source: string;
}

const textOf = ({ path, source }: Placed): string => (source === '' ? goQuote(path) : `${goQuote(path)} (${source})`);

function overlaps(paths: readonly Placed[]): string[] {
  const out: string[] = [];
  const seen: Placed[] = [];
  for (const { path: given, source } of paths) {
    const placed = { path: given.replace(/\/+$/, ''), source };
    if (placed.path !== '')
      for (const other of seen)
        if (other.path !== '' && (isWithin(other.path, placed.path) || isWithin(placed.path, other.path)))
          out.push(`${textOf(placed)} with ${textOf(other)}`);
    seen.push(placed);
  }
  return out;
}

const isWithin = (path: string, folder: string): boolean => `${path}/`.startsWith(`${folder}/`);

const itemsOf = (source: JsonRecord, name: string): readonly Placed[] =>
  recordsAt(source, 'items').map((item) => ({ path: stringAt(item, 'path'), source: name }));

/** The files of one source of a projected volume; none where it brings all its keys. */
function projected(source: JsonRecord): readonly Placed[] {
  const map = recordAt(source, 'configMap');
  if (map && Array.isArray(map.items)) return itemsOf(map, `ConfigMap ${goQuote(stringAt(map, 'name'))}`);
  const secret = recordAt(source, 'secret');
  if (secret && Array.isArray(secret.items)) return itemsOf(secret, `Secret ${goQuote(stringAt(secret, 'name'))}`);
  const downward = recordAt(source, 'downwardAPI');
  if (downward && Array.isArray(downward.items)) return itemsOf(downward, 'DownwardAPI');
  const token = recordAt(source, 'serviceAccountToken');
  if (token) return [{ path: stringAt(token, 'path'), source: 'ServiceAccountToken' }];
  const bundle = recordAt(source, 'clusterTrustBundle');
  if (!bundle) return [];
  const name = stringAt(bundle, 'name') || stringAt(bundle, 'signerName');
  return [{ path: stringAt(bundle, 'path'), source: `ClusterTrustBundle ${goQuote(name)}` }];
}

export function overlappingPathWarnings(volumes: readonly JsonRecord[]): string[] {
  return volumes.flatMap((volume) => {
    const name = goQuote(stringAt(volume, 'name'));
    const warn = (of: string, paths: readonly Placed[]): string[] =>
      overlaps(paths).map((text) => `volume ${name} (${of}): overlapping paths: ${text}`);
    const map = recordAt(volume, 'configMap');
    const secret = recordAt(volume, 'secret');
    const downward = recordAt(volume, 'downwardAPI');
    const sources = recordsAt(recordAt(volume, 'projected'), 'sources');
    return [
      ...(map ? warn(`ConfigMap ${goQuote(stringAt(map, 'name'))}`, itemsOf(map, '')) : []),
      ...(secret ? warn(`Secret ${goQuote(stringAt(secret, 'secretName'))}`, itemsOf(secret, '')) : []),
      ...(downward ? warn('DownwardAPI', itemsOf(downward, '')) : []),
      ...sources.flatMap((source) =>
        Object.keys(source).length === 0 ? [`volume ${name} (Projected) has no sources provided`] : [],
      ),
      ...warn('Projected', sources.flatMap(projected)),
    ];
  });
}
