import { type KindRules, labelName, pathSegmentName, subdomainName } from './kind-rules.ts';

/** The rules of every kind that has some of its own, by `group/Kind`. */
export const KIND_RULES: Readonly<Record<string, KindRules>> = {
  '/Namespace': { name: labelName },
  '/Service': { name: labelName },
  '/Pod': { name: subdomainName },
  'apps/StatefulSet': { name: labelName },
  'rbac.authorization.k8s.io/Role': { name: pathSegmentName },
  'rbac.authorization.k8s.io/ClusterRole': { name: pathSegmentName },
  'rbac.authorization.k8s.io/RoleBinding': { name: pathSegmentName },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { name: pathSegmentName },
};
