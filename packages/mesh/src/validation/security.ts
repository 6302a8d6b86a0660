import { isConditionKey } from '@kind-e2e/proxy';
import type { AuthorizationPolicy, PeerAuthentication, RequestAuthentication } from '../world/istio-types.ts';
import { checkAddress, checkPort, checkSelector } from './checks.ts';

/** Istio's ValidateAuthorizationPolicy. */
export function validateAuthorizationPolicy(spec: AuthorizationPolicy, name: string, namespace: string): string[] {
  const where = `${name}.${namespace}`;
  const found = checkSelector(spec.selector?.matchLabels);
  if (spec.action === 'DENY' && spec.rules === undefined)
    return [...found, `a deny policy without \`rules\` is meaningless and has no effect, found in ${where}`];
  if (spec.action === 'CUSTOM' && !spec.provider?.name) found.push('`provider.name` must not be empty');
  if (spec.action !== 'CUSTOM' && spec.provider)
    found.push(`\`provider\` must not be with non CUSTOM action, found in ${where}`);
  spec.rules?.forEach((rule, i) => {
    const at = `found at rule ${i} in ${where}`;
    if (rule.from?.length === 0) found.push(`\`from\` must not be empty, ${at}`);
    for (const { source } of rule.from ?? []) {
      if (source === undefined) found.push(`\`from.source\` must not be nil, ${at}`);
      else if (Object.values(source).every((list) => list.length === 0))
        found.push(`\`from.source\` must not be empty, ${at}`);
      for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'])
        for (const block of source?.[field] ?? []) found.push(...checkAddress(block));
      found.push(...emptyValues(source));
    }
    if (rule.to?.length === 0) found.push(`\`to\` must not be empty, ${at}`);
    for (const { operation } of rule.to ?? []) {
      if (operation === undefined) found.push(`\`to.operation\` must not be nil, ${at}`);
      else if (Object.values(operation).every((list) => list.length === 0))
        found.push(`\`to.operation\` must not be empty, ${at}`);
      for (const field of ['ports', 'notPorts'])
        for (const port of operation?.[field] ?? []) found.push(...checkPort(Number(port)));
      found.push(...emptyValues(operation));
    }
    for (const condition of rule.when ?? []) {
      if (!condition.key) found.push(`\`key\` must not be empty, found in ${where}`);
      else if (!condition.values?.length && !condition.notValues?.length)
        found.push(
          `at least one of \`values\` or \`notValues\` must be set for key ${condition.key}, found in ${where}`,
        );
      else if (!isConditionKey(condition.key) && !condition.key.startsWith('experimental.'))
        found.push(
          `invalid \`value\` for \`key\` ${condition.key}: unknown attribute: ${condition.key}, found in ${where}`,
        );
    }
  });
  return found;
}

function emptyValues(lists: Readonly<Record<string, readonly string[]>> | undefined): string[] {
  return Object.entries(lists ?? {}).flatMap(([field, list]) =>
    list.includes('') ? [`empty value not allowed, found in ${field[0]?.toUpperCase()}${field.slice(1)}`] : [],
  );
}

/** Istio's ValidatePeerAuthentication. */
export function validatePeerAuthentication(spec: PeerAuthentication): string[] {
  const ports = spec.portLevelMtls;
  const selects = Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
  return [
    ...(!selects && ports && Object.keys(ports).length > 0
      ? ['mesh/namespace peer authentication cannot have port level mTLS']
      : []),
    ...(ports && Object.keys(ports).length === 0
      ? ['port level mTLS, if defined, must have at least one element']
      : []),
    ...Object.keys(ports ?? {}).flatMap((port) => (Number(port) === 0 ? ['port cannot be 0'] : [])),
    ...checkSelector(spec.selector?.matchLabels),
  ];
}

/** Istio's ValidateRequestAuthentication. */
export function validateRequestAuthentication(spec: RequestAuthentication): string[] {
  return [
    ...checkSelector(spec.selector?.matchLabels),
    ...(spec.jwtRules ?? []).flatMap((rule) => [
      ...(rule.issuer ? [] : ['issuer must be set']),
      ...(rule.audiences?.includes('') ? ['audience must be non-empty string'] : []),
      ...(rule.jwksUri && !/^https?:\/\/[^/]+/.test(rule.jwksUri)
        ? [`URI scheme is not supported: ${rule.jwksUri}`]
        : []),
      ...(rule.jwks ? jwksProblem(rule.jwks) : []),
      ...(rule.fromHeaders ?? []).flatMap((header) =>
        header.name ? [] : ['location header name must be non-empty string'],
      ),
      ...(rule.fromParams?.includes('') ? ['location query must be non-empty string'] : []),
    ]),
  ];
}

function jwksProblem(jwks: string): string[] {
  try {
    const value: unknown = JSON.parse(jwks);
    return typeof value === 'object' && value !== null && Array.isArray((value as { keys?: unknown }).keys)
      ? []
      : ['parse jwks error: no keys'];
  } catch (error) {
    return [`parse jwks error: ${error instanceof Error ? error.message : String(error)}`];
  }
}
