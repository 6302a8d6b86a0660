import { clusterConfig } from '../src/index.ts';

const HEAD = `# What \`kind-e2e up --engine kind\` gives to \`kind create cluster\` by default; it makes its own with your options and with
# absolute paths. By hand, in the root of the checkout: kind create cluster --config kind/cluster.yaml
# Written by packages/kind/test/update-cluster-yaml.ts; a test compares it.
`;

/** The text of kind/cluster.yaml. */
export function committedClusterConfig(): string {
  return (
    HEAD +
    clusterConfig({
      clusterName: 'kind-e2e',
      controlPlanes: 3,
      workers: 3,
      ports: { gateway: 8080, api: 6443, registry: 5001 },
      auditPolicy: './kind/audit-policy.yaml',
    })
  );
}
