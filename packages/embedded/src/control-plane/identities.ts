import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressPlan, Clock } from '@kind-e2e/base';
import type { KubeConnection } from '@kind-e2e/kube-client';
import {
  type Authority,
  type CertificatePair,
  loadOrCreateAuthority,
  loadOrCreateCertificate,
  loadOrCreateSigningKey,
  writePrivateFile,
} from '@kind-e2e/pki';
import { stringify } from 'yaml';
import type { LabConfig, LabPaths } from '../config/lab-config.ts';
import { type LabNode, NODES } from './nodes.ts';

/** A user of the API server by bearer token. */
export interface TokenIdentity {
  readonly token: string;
  readonly user: string;
  readonly groups: readonly string[];
}

/** Who is who in a lab: authorities, certificates, keys and tokens, all below `pki/`, mode 0600. */
export interface Identities {
  readonly authority: Authority;
  readonly apiServer: CertificatePair;
  readonly serviceAccountKeyPem: string;
  readonly admin: TokenIdentity;
  readonly controllerManager: TokenIdentity;
  readonly scheduler: TokenIdentity;
  /** The mesh's control half and the cluster DNS. */
  readonly meshControl: TokenIdentity;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, TokenIdentity>;
  /** What the API server shows to the kubelets. */
  readonly kubeletAccessToken: string;
  readonly kubelets: ReadonlyMap<string, CertificatePair>;
}

export function loadIdentities(paths: LabPaths, plan: AddressPlan, clock: Clock): Identities {
  const folder = paths.pki;
  const authority = loadOrCreateAuthority(folder, 'ca', { commonName: 'kubernetes', clock });
  const identity = (file: string, user: string, groups: readonly string[]): TokenIdentity => ({
    token: loadOrCreateToken(folder, file),
    user,
    groups,
  });
  return {
    authority,
    apiServer: loadOrCreateCertificate(folder, 'apiserver', authority, {
      subject: { commonName: 'kube-apiserver' },
      use: 'server',
      clock,
      altNames: {
        dnsNames: [
          'localhost',
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          'kubernetes.default.svc.cluster.local',
        ],
        ipAddresses: ['127.0.0.1', plan.apiServiceAddress, plan.nodeAddress(0)],
      },
    }),
    serviceAccountKeyPem: loadOrCreateSigningKey(folder, 'service-accounts'),
    admin: identity('admin', 'kubernetes-admin', ['system:masters']),
    controllerManager: identity('controller-manager', 'system:kube-controller-manager', ['system:masters']),
    scheduler: identity('scheduler', 'system:kube-scheduler', ['system:masters']),
    meshControl: identity('mesh', 'system:istiod', ['system:masters']),
    nodes: new Map(
      NODES.map((node) => [
        node.name,
        identity(`node-${node.name}`, `system:node:${node.name}`, ['system:nodes', 'system:masters']),
      ]),
    ),
    kubeletAccessToken: loadOrCreateToken(folder, 'kubelet-access'),
    kubelets: new Map(NODES.map((node) => [node.name, kubeletCertificate(folder, authority, node, plan, clock)])),
  };
}

function kubeletCertificate(
  folder: string,
  authority: Authority,
  node: LabNode,
  plan: AddressPlan,
  clock: Clock,
): CertificatePair {
  return loadOrCreateCertificate(folder, `kubelet-${node.name}`, authority, {
    subject: { commonName: `system:node:${node.name}`, organizations: ['system:nodes'] },
    use: 'server',
    clock,
    altNames: { dnsNames: [node.name], ipAddresses: [plan.nodeAddress(node.index)] },
  });
}

function loadOrCreateToken(folder: string, name: string): string {
  const path = join(folder, `${name}.token`);
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const token = randomBytes(24).toString('base64url');
  writePrivateFile(folder, path, `${token}\n`);
  return token;
}

/** A connection for one of the identities; the program's name is what managedFields and audit show. */
export function connectionFor(
  url: string,
  identities: Identities,
  identity: TokenIdentity,
  program: 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'pilot-discovery',
): KubeConnection {
  return {
    server: url,
    caPem: identities.authority.certPem,
    token: identity.token,
    userAgent: `${program}/kind-e2e`,
  };
}

/** Writes the admin's kubeconfig; a file of its own, the user's is never touched. */
export function writeKubeconfig(config: LabConfig, paths: LabPaths, url: string, identities: Identities): void {
  const name = 'kind-e2e';
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(identities.authority.certPem).toString('base64'),
        },
      },
    ],
    users: [{ name: identities.admin.user, user: { token: identities.admin.token } }],
    contexts: [{ name, context: { cluster: name, user: identities.admin.user } }],
    'current-context': name,
    preferences: {},
  };
  writePrivateFile(config.dataDir, paths.kubeconfig, stringify(kubeconfig));
}
