/** One AuthorizationPolicy: it matches when any rule does. No rule never matches. */
export interface AuthorizationPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT';
  readonly dryRun?: boolean;
  readonly rules: readonly AuthorizationRule[];
}

/** All given parts must match; in each list one is enough; an empty rule matches everything. */
export interface AuthorizationRule {
  readonly from?: readonly SourceMatch[];
  readonly to?: readonly OperationMatch[];
  readonly when?: readonly ConditionMatch[];
}

/** Values: exact, `prefix*`, `*suffix` or `*` for present. Addresses: an IP or a CIDR. */
export interface SourceMatch {
  readonly principals?: readonly string[];
  readonly notPrincipals?: readonly string[];
  readonly requestPrincipals?: readonly string[];
  readonly notRequestPrincipals?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly notNamespaces?: readonly string[];
  readonly ipBlocks?: readonly string[];
  readonly notIpBlocks?: readonly string[];
  readonly remoteIpBlocks?: readonly string[];
  readonly notRemoteIpBlocks?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  readonly notServiceAccounts?: readonly string[];
}

export interface OperationMatch {
  readonly hosts?: readonly string[];
  readonly notHosts?: readonly string[];
  readonly ports?: readonly string[];
  readonly notPorts?: readonly string[];
  readonly methods?: readonly string[];
  readonly notMethods?: readonly string[];
  /** May hold `{*}` (one segment) and `{**}` (any). */
  readonly paths?: readonly string[];
  readonly notPaths?: readonly string[];
}

export interface ConditionMatch {
  /** `request.headers[x-user]`, `source.ip`, `request.auth.claims[group]`, … */
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

/** One issuer of a RequestAuthentication. */
export interface JwtRule {
  readonly issuer: string;
  readonly audiences?: readonly string[];
  /** JSON Web Key Set, as text. */
  readonly jwks: string;
  readonly fromHeaders?: readonly { readonly name: string; readonly prefix?: string }[];
  readonly fromParams?: readonly string[];
  readonly fromCookies?: readonly string[];
  /** Header that carries the payload on, base64url. */
  readonly outputPayloadToHeader?: string;
  readonly outputClaimToHeaders?: readonly { readonly header: string; readonly claim: string }[];
  readonly forwardOriginalToken?: boolean;
}
