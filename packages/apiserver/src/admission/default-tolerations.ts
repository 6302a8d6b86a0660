import type { AdmissionPlugin } from './admission-chain.ts';
import { isPodCreation, type Json, listIn, recordsIn, specOf } from './pod-parts.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const TOLERATION_SECONDS = 300;

/** Pods stay five minutes on a node that is lost, unless they say otherwise (plugin/defaulttolerationseconds). */
export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(attributes) {
    if (!isPodCreation(attributes)) return undefined;
    const spec = specOf(attributes.object);
    for (const key of [NOT_READY, UNREACHABLE]) {
      if (recordsIn(spec, 'tolerations').some((toleration) => tolerates(toleration, key))) continue;
      listIn(spec, 'tolerations').push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: TOLERATION_SECONDS,
      });
    }
    return undefined;
  },
};

function tolerates(toleration: Json, key: string): boolean {
  const { effect } = toleration;
  const own = typeof toleration.key === 'string' ? toleration.key : '';
  return (own === key || own === '') && (effect === undefined || effect === '' || effect === 'NoExecute');
}
