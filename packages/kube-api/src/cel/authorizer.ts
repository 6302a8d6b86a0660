/** `authorizer`: what the one who makes a request may do else (apiserver/pkg/cel/library/authz.go). */
import { isDns1123Label, isDns1123Subdomain } from '../validation/names.ts';
import { CelError, noSuchOverload, Opaque, type Value } from './values.ts';

export interface CelAccess {
  /** Of a request for no resource. */
  readonly path?: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Answers for one user. */
export interface CelAuthorizer {
  decide(access: CelAccess, verb: string): { readonly allowed: boolean; readonly reason: string };
  serviceAccount(namespace: string, name: string): CelAuthorizer;
}

interface Check {
  readonly authorizer: CelAuthorizer;
  readonly access: CelAccess;
}

interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

type Function = (args: readonly Value[]) => Value;

const PACKAGE = 'kubernetes.authorization';
export const AUTHORIZER_TYPE = `${PACKAGE}.Authorizer`;
export const RESOURCE_CHECK_TYPE = `${PACKAGE}.ResourceCheck`;
const PATH_CHECK = `${PACKAGE}.PathCheck`;
const GROUP_CHECK = `${PACKAGE}.GroupCheck`;
const DECISION = `${PACKAGE}.Decision`;
const NOTHING: CelAccess = { group: '', resource: '', subresource: '', namespace: '', name: '' };

/** The value of the variable `authorizer`. */
export function authorizerValue(authorizer: CelAuthorizer): Value {
  return new Opaque(AUTHORIZER_TYPE, authorizer);
}

/** The value of `authorizer.requestResource`. */
export function resourceCheckValue(authorizer: CelAuthorizer, access: CelAccess): Value {
  return new Opaque(RESOURCE_CHECK_TYPE, { authorizer, access } satisfies Check);
}

function kernel<T>(value: Value | undefined, type: string): T {
  if (!(value instanceof Opaque) || value.type !== type) throw noSuchOverload();
  return value.kernel as T;
}

function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw noSuchOverload();
  return value;
}

function filled(value: Value | undefined, what: string): string {
  const given = text(value);
  if (given.trim() === '') throw new CelError(`${what} must not be empty`);
  return given;
}

/** A check of a resource, narrowed by one of its parts. */
const narrowed =
  (part: 'subresource' | 'namespace' | 'name'): Function =>
  ([value, given]) => {
    const { authorizer, access } = kernel<Check>(value, RESOURCE_CHECK_TYPE);
    return resourceCheckValue(authorizer, { ...access, [part]: text(given) });
  };

/** RBAC takes no notice of selectors. */
const unchanged: Function = ([value, selector]) => {
  text(selector);
  const { authorizer, access } = kernel<Check>(value, RESOURCE_CHECK_TYPE);
  return resourceCheckValue(authorizer, access);
};

export const AUTHORIZER_FUNCTIONS: Readonly<Record<string, Function>> = {
  path: ([value, path]) => {
    const authorizer = kernel<CelAuthorizer>(value, AUTHORIZER_TYPE);
    return new Opaque(PATH_CHECK, { authorizer, access: { ...NOTHING, path: filled(path, 'path') } } satisfies Check);
  },
  group: ([value, group]) => {
    const authorizer = kernel<CelAuthorizer>(value, AUTHORIZER_TYPE);
    return new Opaque(GROUP_CHECK, { authorizer, access: { ...NOTHING, group: text(group) } } satisfies Check);
  },
  serviceAccount: ([value, namespace, name]) => {
    const authorizer = kernel<CelAuthorizer>(value, AUTHORIZER_TYPE);
    if (isDns1123Subdomain(text(name)).length > 0) throw new CelError('Invalid service account name');
    if (isDns1123Label(text(namespace)).length > 0) throw new CelError('Invalid service account namespace');
    return authorizerValue(authorizer.serviceAccount(text(namespace), text(name)));
  },
  resource: ([value, resource]) => {
    const { authorizer, access } = kernel<Check>(value, GROUP_CHECK);
    return resourceCheckValue(authorizer, { ...access, resource: filled(resource, 'resource') });
  },
  subresource: narrowed('subresource'),
  namespace: narrowed('namespace'),
  name: narrowed('name'),
  fieldSelector: unchanged,
  labelSelector: unchanged,
  check: ([value, verb]) => {
    const type = value instanceof Opaque && value.type === PATH_CHECK ? PATH_CHECK : RESOURCE_CHECK_TYPE;
    const { authorizer, access } = kernel<Check>(value, type);
    return new Opaque(DECISION, authorizer.decide(access, text(verb)) satisfies Decision);
  },
  allowed: ([value]) => kernel<Decision>(value, DECISION).allowed,
  reason: ([value]) => kernel<Decision>(value, DECISION).reason,
  errored: ([value]) => {
    kernel<Decision>(value, DECISION);
    return false;
  },
  error: ([value]) => {
    kernel<Decision>(value, DECISION);
    return '';
  },
};
