import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

export const WIZARDS = ['weights', 'delay', 'abort', 'timeout', 'mirror'] as const;
export type WizardKind = (typeof WIZARDS)[number];

export interface WizardInput {
  kind: WizardKind;
  service: string;
  namespace: string;
  /** For weights: host (or subset) and share. */
  targets: { host: string; subset: string; weight: number }[];
  delaySeconds: number;
  percent: number;
  abortStatus: number;
  timeoutSeconds: number;
  mirrorHost: string;
}

const http = z.array(z.looseObject({})).catch([]);
const existingSpec = z.looseObject({ hosts: z.array(z.string()).catch([]), http: http.optional() });

function changed(rule: Record<string, unknown>, input: WizardInput): Record<string, unknown> {
  const percentage = { value: input.percent };
  const fault = z.looseObject({}).catch({}).parse(rule.fault);
  switch (input.kind) {
    case 'weights':
      return {
        ...rule,
        route: input.targets.map((target) => ({
          destination: { host: target.host, ...(target.subset ? { subset: target.subset } : {}) },
          weight: target.weight,
        })),
      };
    case 'delay':
      return { ...rule, fault: { ...fault, delay: { fixedDelay: `${input.delaySeconds}s`, percentage } } };
    case 'abort':
      return { ...rule, fault: { ...fault, abort: { httpStatus: input.abortStatus, percentage } } };
    case 'timeout':
      return { ...rule, timeout: `${input.timeoutSeconds}s` };
    case 'mirror':
      return { ...rule, mirror: { host: input.mirrorHost }, mirrorPercentage: percentage };
  }
}

/**
 * The VirtualService that does what the wizard was asked: the one that the service has, changed in all its HTTP rules, or a
 * new one (istio: networking/v1 VirtualService).
 */
export function wizardObject(input: WizardInput, existing: KubeObject | undefined): KubeObject {
  const spec = existingSpec.safeParse(existing?.spec).data;
  const plain = { route: [{ destination: { host: input.service } }] };
  const rules = spec?.http && spec.http.length > 0 ? spec.http : [plain];
  return {
    apiVersion: existing?.apiVersion ?? 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: {
      name: existing?.metadata.name ?? input.service,
      namespace: existing?.metadata.namespace ?? input.namespace,
    },
    spec: { ...(spec ?? { hosts: [input.service] }), http: rules.map((rule) => changed(rule, input)) },
  };
}

/** What is wrong with the input; empty when it can be applied. */
export function wizardProblems(input: WizardInput): string[] {
  const problems: string[] = [];
  if (input.kind === 'weights') {
    const sum = input.targets.reduce((total, target) => total + target.weight, 0);
    if (sum !== 100) problems.push(`The weights add up to ${sum}; they must add up to 100.`);
    if (input.targets.some((target) => target.host === '')) problems.push('Each weight needs a host.');
  }
  if (input.kind === 'abort' && (input.abortStatus < 200 || input.abortStatus > 599))
    problems.push('The status must be from 200 to 599.');
  if (['delay', 'abort', 'mirror'].includes(input.kind) && (input.percent < 0 || input.percent > 100))
    problems.push('The share must be from 0 to 100 %.');
  if (input.kind === 'delay' && input.delaySeconds <= 0) problems.push('The delay must be more than 0 s.');
  if (input.kind === 'timeout' && input.timeoutSeconds <= 0) problems.push('The timeout must be more than 0 s.');
  if (input.kind === 'mirror' && input.mirrorHost === '') problems.push('Choose the service that gets the copies.');
  return problems;
}
