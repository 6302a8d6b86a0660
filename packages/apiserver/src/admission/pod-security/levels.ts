import { type FieldError, invalidValue } from '@kind-e2e/kube-api';

export type SecurityLevel = 'privileged' | 'baseline' | 'restricted';

/** A level of the Pod Security Standards as a version of Kubernetes had it; Infinity is the latest. */
export interface LevelVersion {
  readonly level: SecurityLevel;
  readonly minor: number;
}

export interface SecurityPolicy {
  readonly enforce: LevelVersion;
  readonly warn: LevelVersion;
}

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly SecurityLevel[] = ['privileged', 'baseline', 'restricted'];
const STRICTNESS: Readonly<Record<SecurityLevel, number>> = { privileged: 0, baseline: 1, restricted: 2 };

/** `restricted:latest`, `baseline:v1.30` */
export function levelText({ level, minor }: LevelVersion): string {
  return `${level}:${Number.isFinite(minor) ? `v1.${minor}` : 'latest'}`;
}

export function isStricter(left: SecurityLevel, right: SecurityLevel): boolean {
  return STRICTNESS[left] > STRICTNESS[right];
}

/**
 * What a namespace's labels ask for, and what is wrong with them (pod-security-admission `api.PolicyToEvaluate`). A
 * level that is none is enforced as the strictest; one to warn of that is none is not looked at.
 */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): {
  readonly policy: SecurityPolicy;
  readonly errors: readonly FieldError[];
} {
  const errors: FieldError[] = [];
  const level = (mode: string, otherwise: SecurityLevel): SecurityLevel | undefined => {
    const value = labels?.[`${PREFIX}${mode}`];
    if (value === undefined) return undefined;
    const known = LEVELS.find((one) => one === value);
    if (known === undefined)
      errors.push(invalidValue(`metadata.labels[${PREFIX}${mode}]`, value, `must be one of ${LEVELS.join(', ')}`));
    return known ?? otherwise;
  };
  const minor = (mode: string): number | undefined => {
    const value = labels?.[`${PREFIX}${mode}-version`];
    if (value === undefined) return undefined;
    const match = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(value);
    if (value !== 'latest' && match === null)
      errors.push(invalidValue(`metadata.labels[${PREFIX}${mode}-version]`, value, 'must be "latest" or "v1.x"'));
    return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
  };
  const enforced = level('enforce', 'restricted');
  const enforce = { level: enforced ?? 'privileged', minor: minor('enforce') ?? Number.POSITIVE_INFINITY };
  level('audit', 'privileged');
  minor('audit');
  const warned = level('warn', 'privileged');
  const warnMinor = minor('warn');
  // Who enforces a level and says nothing of warnings is warned of the same.
  const warn = {
    level: warned ?? enforce.level,
    minor: warnMinor ?? (warned === undefined ? enforce.minor : Number.POSITIVE_INFINITY),
  };
  return { policy: { enforce, warn }, errors };
}
