import type { AuthorizationPolicy, JwtRule, MtlsMode } from '@kind-e2e/proxy';
import type { PeerAuthentication, Selector, TargetRef } from '../world/istio-types.ts';
import type { IstioObject } from '../world/objects.ts';
import { byAge, labelsMatch, nameOf, namespaceOf, type World } from '../world/world.ts';
import type { PodInfo } from './workload-info.ts';

/** JSON Web Key Sets fetched from `jwksUri`; undefined while there is none. */
export type JwksOf = (uri: string) => string | undefined;

/** A key set that no token fits: Istio's way to refuse while the real one could not be fetched. */
const NO_KEYS = '{"keys":[]}';

function selectorOf(selector: Selector | undefined): Readonly<Record<string, string>> {
  return selector?.matchLabels ?? {};
}

/** An object of a namespace (or the root namespace, for all) that selects a pod. */
export function appliesTo(
  object: {
    metadata?: { namespace?: string };
    spec?: { selector?: Selector; targetRefs?: TargetRef[]; targetRef?: TargetRef };
  },
  pod: PodInfo,
  root: string,
): boolean {
  const own = object.metadata?.namespace ?? '';
  if (own !== pod.namespace && own !== root) return false;
  if (object.spec?.targetRef || object.spec?.targetRefs?.length) return false;
  return labelsMatch(selectorOf(object.spec?.selector), pod.labels);
}

/** Modes of a pod's ports: workload over namespace over mesh, port over all (Istio's `ComposePeerAuthentication`). */
export function mtlsModeOf(world: World, pod: PodInfo): (port: number) => MtlsMode {
  const root = world.config.rootNamespace ?? 'istio-system';
  const all = byAge(world.peerAuthentications).filter((object) => appliesTo(object, pod, root));
  const selects = (object: IstioObject<PeerAuthentication>): boolean =>
    Object.keys(selectorOf(object.spec?.selector)).length > 0;
  const ofWorkload = all.find((object) => selects(object) && namespaceOf(object) === pod.namespace);
  const ofNamespace = all.find((object) => !selects(object) && namespaceOf(object) === pod.namespace);
  const ofMesh = all.find((object) => !selects(object) && namespaceOf(object) === root);
  let base: MtlsMode = 'PERMISSIVE';
  for (const object of [ofMesh, ofNamespace, ofWorkload]) {
    const mode = object?.spec?.mtls?.mode;
    if (mode !== undefined && mode !== 'UNSET') base = mode;
  }
  return (port) => {
    const mode = ofWorkload?.spec?.portLevelMtls?.[String(port)]?.mode;
    return mode === undefined || mode === 'UNSET' ? base : mode;
  };
}

export function policiesOf(world: World, pod: PodInfo): AuthorizationPolicy[] {
  const root = world.config.rootNamespace ?? 'istio-system';
  return byAge(world.authorizationPolicies)
    .filter((object) => appliesTo(object, pod, root))
    .map((object) => ({
      name: nameOf(object),
      namespace: namespaceOf(object),
      // There is no external authorizer here. As in Istio without the provider, what would be asked about is denied.
      action: object.spec?.action === 'CUSTOM' ? 'DENY' : (object.spec?.action ?? 'ALLOW'),
      ...(object.metadata?.annotations?.['istio.io/dry-run'] === 'true' ? { dryRun: true } : {}),
      rules: (object.spec?.rules ?? []).map((rule) => ({
        ...(rule.from?.length ? { from: rule.from.map(({ source = {} }) => source) } : {}),
        ...(rule.to?.length ? { to: rule.to.map(({ operation = {} }) => operation) } : {}),
        ...(rule.when?.length ? { when: rule.when } : {}),
      })),
    }));
}

export function jwtRulesOf(world: World, pod: PodInfo, jwksOf: JwksOf): JwtRule[] {
  const root = world.config.rootNamespace ?? 'istio-system';
  return byAge(world.requestAuthentications)
    .filter((object) => appliesTo(object, pod, root))
    .flatMap((object) => object.spec?.jwtRules ?? [])
    .map((rule) => ({
      issuer: rule.issuer ?? '',
      jwks: rule.jwks || (rule.jwksUri ? jwksOf(rule.jwksUri) : undefined) || NO_KEYS,
      ...(rule.audiences?.length ? { audiences: rule.audiences } : {}),
      ...(rule.fromHeaders?.length ? { fromHeaders: rule.fromHeaders } : {}),
      ...(rule.fromParams?.length ? { fromParams: rule.fromParams } : {}),
      ...(rule.fromCookies?.length ? { fromCookies: rule.fromCookies } : {}),
      ...(rule.outputPayloadToHeader ? { outputPayloadToHeader: rule.outputPayloadToHeader } : {}),
      ...(rule.outputClaimToHeaders?.length
        ? { outputClaimToHeaders: rule.outputClaimToHeaders.map(({ header = '', claim = '' }) => ({ header, claim })) }
        : {}),
      ...(rule.forwardOriginalToken ? { forwardOriginalToken: true } : {}),
    }));
}
