/** Updates that change one part of a pod (`podEphemeralContainersStrategy`, `podResizeStrategy`). */
import { ensureRecord, recordAt, recordsAt, stringAt } from '../values/access.ts';
import { copyJson, isRecord, type JsonRecord } from '../values/json.ts';

/** Makes the pod the old one again, but for the part that the subresource is for. */
export function keepAllButPart(pod: JsonRecord, old: JsonRecord, subresource: string): void {
  const wanted = recordAt(pod, 'spec') ?? {};
  keepMetadata(pod, old);
  pod.status = copyJson(old.status);
  pod.spec = copyJson(old.spec);
  const spec = ensureRecord(pod, 'spec');
  if (subresource === 'ephemeralcontainers') {
    take(spec, wanted, 'ephemeralContainers');
    return;
  }
  for (const list of ['containers', 'initContainers'])
    for (const container of recordsAt(spec, list)) {
      const name = stringAt(container, 'name');
      const next = recordsAt(wanted, list).find((entry) => stringAt(entry, 'name') === name);
      if (next === undefined) continue;
      take(container, next, 'resources');
      take(container, next, 'resizePolicy');
    }
  take(spec, wanted, 'resources');
}

function take(target: JsonRecord, source: JsonRecord, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = copyJson(source[name]);
}

/** metadata stays, too; only what the store itself looks at is the client's (`dropPodUpdates`). */
function keepMetadata(pod: JsonRecord, old: JsonRecord): void {
  const given = recordAt(pod, 'metadata') ?? {};
  const before = isRecord(old.metadata) ? old.metadata : {};
  const metadata = { ...(copyJson(before) as JsonRecord) };
  for (const name of ['resourceVersion', 'managedFields']) if (given[name] !== undefined) metadata[name] = given[name];
  pod.metadata = metadata;
}
