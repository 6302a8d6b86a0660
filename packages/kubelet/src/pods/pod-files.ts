import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { removeContainerFolder } from '../runtime/container-record.ts';
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

/** Removes a pod's folder, after the folders of its runs, which need care. */
export async function removePodFolder(folder: string): Promise<void> {
  const containers = join(folder, 'containers');
  for (const name of await readdir(containers).catch(() => []))
    for (const attempt of await readdir(join(containers, name)).catch(() => []))
      await removeContainerFolder(join(containers, name, attempt));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
