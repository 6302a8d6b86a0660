import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemCodeOf } from '@kind-e2e/base';
import type { Settings } from '../options.ts';
import type { Finding } from './finding.ts';

/** What kind's page "Known Issues" asks for, so that many nodes do not run out of watches. */
const INOTIFY = { max_user_watches: 524_288, max_user_instances: 512 } as const;

/** The kernel's inotify limits; nothing where there are none (macOS, where Docker has a machine of its own). */
export async function checkInotify(settings: Settings): Promise<Finding[]> {
  const low: string[] = [];
  const seen: string[] = [];
  for (const [name, wanted] of Object.entries(INOTIFY)) {
    const text = await readFile(join(settings.procDir, 'sys', 'fs', 'inotify', name), 'utf8').catch(() => undefined);
    if (text === undefined) return [];
    const value = Number(text.trim());
    seen.push(`${name} ${value}`);
    if (value < wanted) low.push(`fs.inotify.${name}=${wanted}`);
  }
  if (low.length === 0) return [{ check: 'inotify', state: 'ok', detail: seen.join(', ') }];
  return [
    {
      check: 'inotify',
      state: 'problem',
      detail: `${seen.join(', ')}: too low for ${settings.controlPlanes + settings.workers} node(s), pods would fail with "too many open files"`,
      remedy: `sudo sysctl ${low.join(' ')}   (and into /etc/sysctl.d/99-kind.conf to keep it)`,
    },
  ];
}

/** The ports that the cluster and the registry will have, those left out that are ours already. */
export async function checkPorts(settings: Settings, ours: ReadonlySet<keyof Settings['ports']>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of ['gateway', 'registry', 'api'] as const) {
    const port = settings.ports[name];
    if (ours.has(name) || (await isPortFree(port))) continue;
    findings.push({
      check: `Port ${port}`,
      state: 'problem',
      detail: `taken by another program; it is for the ${name}`,
      remedy: `find it with: ss -ltnp 'sport = :${port}'   (kind-e2e down, if it is the embedded lab) or choose another with --${name}-port`,
    });
  }
  return findings.length > 0 ? findings : [{ check: 'Ports', state: 'ok', detail: 'free, or held by this lab' }];
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
