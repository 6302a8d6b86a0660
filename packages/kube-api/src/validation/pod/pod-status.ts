/** `pods/status` (`ValidatePodStatusUpdate`). */
import { duplicateValue, type FieldError, forbiddenValue, invalidValue } from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { immutableField, invalidMessages } from '../field-rules.ts';
import { ipProblem, isIpv6 } from '../ip.ts';
import { isDns1123Subdomain, isQualifiedName } from '../names.ts';
import { podAnnotationUpdates, validatePodAnnotations } from './annotations.ts';

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized']);
const ONE_PER_FAMILY = 'may specify no more than one IP for each IP family';

/** Containers that ended stay so, unless the policy lets them start again. */
function transitions(
  next: readonly JsonRecord[],
  old: readonly JsonRecord[],
  restart: string,
  mayRestart: (name: string) => boolean,
  field: string,
): FieldError[] {
  if (restart === 'Always') return [];
  const out: FieldError[] = [];
  for (const [index, before] of old.entries()) {
    const name = stringAt(before, 'name');
    const terminated = recordAt(recordAt(before, 'state'), 'terminated');
    if (terminated === undefined) continue;
    if ((numberAt(terminated, 'exitCode') ?? 0) !== 0 && restart === 'OnFailure') continue;
    if (mayRestart(name)) continue;
    for (const after of next)
      if (stringAt(after, 'name') === name && !isRecord(recordAt(after, 'state')?.terminated))
        out.push(forbiddenValue(`${field}[${index}].state`, 'may not be transitioned to non-terminated state'));
  }
  return out;
}

function addresses(status: JsonRecord, list: 'podIPs' | 'hostIPs'): FieldError[] {
  const field = `status.${list}`;
  const ips = recordsAt(status, list).map((entry) => stringAt(entry, 'ip'));
  const out: FieldError[] = [];
  if (list === 'hostIPs' && ips.length > 0 && stringAt(status, 'hostIP') !== ips[0])
    out.push(invalidValue(`${field}[0].ip`, ips[0], 'must be equal to `hostIP`'));
  for (const [index, ip] of ips.entries()) out.push(...ipProblem(ip, `${field}[${index}]`));
  if (ips.length < 2) return out;
  const isDual = ips.some(isIpv6) && ips.some((ip) => !isIpv6(ip));
  if (!isDual || ips.length > 2)
    out.push(
      invalidValue(
        field,
        ips.map((IP) => ({ IP })),
        ONE_PER_FAMILY,
      ),
    );
  for (const [index, ip] of ips.entries())
    if (ips.indexOf(ip) < index) out.push(duplicateValue(`${field}[${index}]`, { IP: ip }));
  return out;
}

export function validatePodStatusUpdate(pod: JsonRecord, old: JsonRecord): FieldError[] {
  const status = recordAt(pod, 'status') ?? {};
  const before = recordAt(old, 'status') ?? {};
  const spec = recordAt(pod, 'spec') ?? {};
  const annotations = stringMapAt(recordAt(pod, 'metadata'), 'annotations');
  const out = [
    ...podAnnotationUpdates(annotations, stringMapAt(recordAt(old, 'metadata'), 'annotations'), 'metadata.annotations'),
    ...validatePodAnnotations(annotations, spec, 'metadata.annotations'),
  ];
  for (const [index, condition] of recordsAt(status, 'conditions').entries()) {
    const type = stringAt(condition, 'type');
    if (!SYSTEM_CONDITIONS.has(type))
      out.push(...invalidMessages(`metadata.conditions[${index}].Type`, type, isQualifiedName(type)));
  }
  const nominated = stringAt(status, 'nominatedNodeName');
  if (nominated !== '' && nominated !== stringAt(before, 'nominatedNodeName'))
    out.push(...invalidMessages('status.nominatedNodeName', nominated, isDns1123Subdomain(nominated)));
  out.push(...immutableField(status.qosClass ?? '', before.qosClass ?? '', 'status.qosClass'));
  const restart = stringAt(recordAt(old, 'spec'), 'restartPolicy');
  const hasOwnPolicy = (list: string) => (name: string) =>
    recordsAt(spec, list).some((entry) => stringAt(entry, 'name') === name && entry.restartPolicy !== undefined);
  for (const [list, owner] of [
    ['containerStatuses', 'containers'],
    ['initContainerStatuses', 'initContainers'],
  ] as const)
    out.push(
      ...transitions(recordsAt(status, list), recordsAt(before, list), restart, hasOwnPolicy(owner), `status.${list}`),
    );
  const ephemeral = 'ephemeralContainerStatuses';
  out.push(
    ...transitions(
      recordsAt(status, ephemeral),
      recordsAt(before, ephemeral),
      'Never',
      () => false,
      `status.${ephemeral}`,
    ),
  );
  return [...out, ...addresses(status, 'podIPs'), ...addresses(status, 'hostIPs')];
}
