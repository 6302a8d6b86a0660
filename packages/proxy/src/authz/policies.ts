import { getJoinedHeader } from '../http/headers.ts';
import { withoutPort } from '../http/route-table.ts';
import type { DownstreamConnection, RequestHead } from '../http/stream.ts';
import { namespaceOf, principalOf } from '../listener/spiffe.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  ConditionMatch,
  OperationMatch,
  SourceMatch,
} from '../snapshot/policy.ts';
import { compileAddresses } from './address-match.ts';

/** What policies look at. For TCP there is no head. */
export interface PolicyInput {
  readonly head: RequestHead | undefined;
  readonly connection: DownstreamConnection;
  readonly clientAddress: string;
  readonly port: number;
  /** Claims of the verified token, if there was one. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}

type Test = (input: PolicyInput) => boolean;

interface CompiledPolicy {
  readonly name: string;
  readonly matches: Test;
}

/**
 * Policies of one workload, in Istio's order: a DENY that matches denies; with ALLOW policies present one must match.
 * Fields that only HTTP has never match a TCP connection in ALLOW and are ignored in DENY, as Istio documents.
 */
export class CompiledPolicies {
  readonly empty: boolean;
  readonly #deny: CompiledPolicy[] = [];
  readonly #allow: CompiledPolicy[] = [];
  readonly #hasAllow: boolean;

  constructor(policies: readonly AuthorizationPolicy[]) {
    const enforced = policies.filter((policy) => policy.dryRun !== true && policy.action !== 'AUDIT');
    for (const policy of enforced) {
      const compiled = compilePolicy(policy);
      if (policy.action === 'DENY') this.#deny.push(compiled);
      else this.#allow.push(compiled);
    }
    this.#hasAllow = this.#allow.length > 0;
    this.empty = enforced.length === 0;
  }

  /** Undefined: allowed. Otherwise the policy that denies, `none` where no ALLOW policy matched. */
  check(input: PolicyInput): string | undefined {
    for (const policy of this.#deny) if (policy.matches(input)) return policy.name;
    if (!this.#hasAllow) return undefined;
    return this.#allow.some((policy) => policy.matches(input)) ? undefined : 'none';
  }
}

function compilePolicy(policy: AuthorizationPolicy): CompiledPolicy {
  const isDeny = policy.action === 'DENY';
  const rules = policy.rules.map((rule, index) => ({ matches: compileRule(rule, isDeny), index }));
  return {
    name: `ns[${policy.namespace}]-policy[${policy.name}]-rule[0]`,
    matches: (input) => rules.some((rule) => rule.matches(input)),
  };
}

function compileRule(rule: AuthorizationRule, isDeny: boolean): Test {
  const tests: Test[] = [];
  if (rule.from && rule.from.length > 0) tests.push(anyOf(rule.from.map((source) => compileSource(source))));
  if (rule.to && rule.to.length > 0) tests.push(anyOf(rule.to.map((operation) => compileOperation(operation, isDeny))));
  for (const condition of rule.when ?? []) tests.push(compileCondition(condition));
  return allOf(tests);
}

function anyOf(tests: readonly Test[]): Test {
  return (input) => tests.some((test) => test(input));
}

function allOf(tests: readonly Test[]): Test {
  return (input) => tests.every((test) => test(input));
}

type ValueOf = (input: PolicyInput) => string | readonly string[] | undefined;

/** `values` must hold one that matches, `notValues` none. */
function pair(
  tests: Test[],
  values: readonly string[] | undefined,
  not: readonly string[] | undefined,
  of: ValueOf,
  compile = compileValues,
): void {
  if (values && values.length > 0) {
    const test = compile(values);
    tests.push((input) => someValue(of(input), test));
  }
  if (not && not.length > 0) {
    const test = compile(not);
    tests.push((input) => !someValue(of(input), test));
  }
}

function someValue(value: string | readonly string[] | undefined, test: (value: string) => boolean): boolean {
  if (value === undefined) return false;
  return typeof value === 'string' ? test(value) : value.some(test);
}

/** Exact, `prefix*`, `*suffix`, `*`: present and not empty. */
function compileValues(patterns: readonly string[], ignoreCase = false): (value: string) => boolean {
  const tests = patterns.map((raw) => {
    const pattern = ignoreCase ? raw.toLowerCase() : raw;
    if (pattern === '*') return (value: string) => value !== '';
    if (pattern.startsWith('*')) return (value: string) => value.endsWith(pattern.slice(1));
    if (pattern.endsWith('*')) return (value: string) => value.startsWith(pattern.slice(0, -1));
    return (value: string) => value === pattern;
  });
  return (value) => {
    const given = ignoreCase ? value.toLowerCase() : value;
    return tests.some((test) => test(given));
  };
}

/** Paths may also hold `{*}` for one segment and `{**}` for any number (Istio 1.22, path templating). */
function compilePaths(patterns: readonly string[]): (value: string) => boolean {
  const templates = patterns.filter((pattern) => pattern.includes('{*'));
  const plain = compileValues(patterns.filter((pattern) => !pattern.includes('{*')));
  const expressions = templates.map(
    (template) =>
      new RegExp(
        `^${template
          .split(/(\{\*\*?\})/)
          .map((piece) =>
            piece === '{*}' ? '[^/]+' : piece === '{**}' ? '.*' : piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
          )
          .join('')}$`,
      ),
  );
  return (value) => plain(value) || expressions.some((expression) => expression.test(value));
}

const spiffe: ValueOf = (input) => principalOf(input.connection.tls?.peerSpiffeId);
const namespace: ValueOf = (input) => namespaceOf(input.connection.tls?.peerSpiffeId);
const serviceAccount: ValueOf = (input) => {
  const id = /\/ns\/([^/]+)\/sa\/([^/]+)/.exec(input.connection.tls?.peerSpiffeId ?? '');
  return id ? `${id[1]}/${id[2]}` : undefined;
};
const sourceIp: ValueOf = (input) => input.connection.remoteAddress;
const remoteIp: ValueOf = (input) => input.clientAddress;
const requestPrincipal: ValueOf = (input) =>
  typeof input.claims?.iss === 'string' && typeof input.claims.sub === 'string'
    ? `${input.claims.iss}/${input.claims.sub}`
    : undefined;

function compileSource(source: SourceMatch): Test {
  const tests: Test[] = [];
  pair(tests, source.principals, source.notPrincipals, spiffe);
  pair(tests, source.requestPrincipals, source.notRequestPrincipals, requestPrincipal);
  pair(tests, source.namespaces, source.notNamespaces, namespace);
  pair(tests, source.serviceAccounts, source.notServiceAccounts, serviceAccount);
  pair(tests, source.ipBlocks, source.notIpBlocks, sourceIp, compileAddresses);
  pair(tests, source.remoteIpBlocks, source.notRemoteIpBlocks, remoteIp, compileAddresses);
  return allOf(tests);
}

function compileOperation(operation: OperationMatch, isDeny: boolean): Test {
  const http: Test[] = [];
  const any: Test[] = [];
  // Host names do not care about case; a pattern without a port is for any port.
  const hosts = (patterns: readonly string[]) => compileValues(patterns, true);
  const hostOf: ValueOf = (input) =>
    input.head ? [input.head.authority, withoutPort(input.head.authority)] : undefined;
  pair(http, operation.hosts, operation.notHosts, hostOf, hosts);
  pair(http, operation.methods, operation.notMethods, (input) => input.head?.method);
  pair(http, operation.paths, operation.notPaths, (input) => input.head?.path.split('?')[0], compilePaths);
  pair(any, operation.ports, operation.notPorts, (input) => String(input.port));
  return (input) => {
    if (input.head === undefined && http.length > 0 && !(isDeny && any.length > 0)) return false;
    return (input.head === undefined || http.every((test) => test(input))) && any.every((test) => test(input));
  };
}

function compileCondition(condition: ConditionMatch): Test {
  const tests: Test[] = [];
  const { key } = condition;
  const addresses = key === 'source.ip' || key === 'remote.ip' || key === 'destination.ip';
  pair(tests, condition.values, condition.notValues, conditionValue(key), addresses ? compileAddresses : compileValues);
  return allOf(tests);
}

/** Keys of Istio's authorization policy conditions. */
export function isConditionKey(key: string): boolean {
  return CONDITIONS.has(key) || /^request\.(headers|auth\.claims)\[.+\]$/.test(key);
}

const CONDITIONS: ReadonlyMap<string, ValueOf> = new Map<string, ValueOf>([
  ['source.ip', sourceIp],
  ['remote.ip', remoteIp],
  ['source.namespace', namespace],
  ['source.principal', spiffe],
  ['source.serviceAccount', serviceAccount],
  ['request.auth.principal', requestPrincipal],
  ['request.auth.audiences', (input) => claimValues(input.claims?.aud)],
  ['request.auth.presenter', (input) => claimValues(input.claims?.azp)],
  ['destination.ip', (input) => input.connection.localAddress],
  ['destination.port', (input) => String(input.port)],
  ['connection.sni', (input) => input.connection.tls?.serverName],
]);

function conditionValue(key: string): ValueOf {
  const known = CONDITIONS.get(key);
  if (known) return known;
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1]?.toLowerCase();
  if (header !== undefined)
    return (input) =>
      input.head === undefined
        ? undefined
        : header === ':method'
          ? input.head.method
          : header === ':authority' || header === 'host'
            ? input.head.authority
            : header === ':path'
              ? input.head.path
              : getJoinedHeader(input.head.headers, header);
  const claim = [...(/^request\.auth\.claims(\[.+\])$/.exec(key)?.[1] ?? '').matchAll(/\[([^\]]+)\]/g)].map(
    (match) => match[1] ?? '',
  );
  if (claim.length > 0) return (input) => claimValues(claimAt(input.claims, claim));
  return () => undefined;
}

export function claimAt(claims: unknown, path: readonly string[]): unknown {
  let value = claims;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function claimValues(value: unknown): string | readonly string[] | undefined {
  if (typeof value === 'string') return value.includes(' ') ? [value, ...value.split(' ')] : value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? value.map(String) : undefined;
}
