import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { listenAddressOf } from './container-plan.ts';

/** Writes what the containers of a pod see as /etc/hosts and /etc/hostname (kubelet's ensureHostsFile). */
export async function writePodFiles(podFolder: string, pod: Pod, podIP: string, clusterDomain: string): Promise<void> {
  const { name = '', namespace = 'default' } = pod.metadata ?? {};
  const hostname = pod.spec?.hostname || name;
  const subdomain = pod.spec?.subdomain;
  const full = subdomain ? `${hostname}.${subdomain}.${namespace}.svc.${clusterDomain}\t${hostname}` : hostname;
  const aliases = (pod.spec?.hostAliases ?? []).map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${listenAddressOf(pod, podIP)}\t${full}`,
    ...(aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : []),
  ];
  await mkdir(podFolder, { recursive: true });
  await writeFile(join(podFolder, 'etc-hosts'), `${lines.join('\n')}\n`);
  await writeFile(join(podFolder, 'etc-hostname'), `${hostname}\n`);
}
