import { statfs } from 'node:fs/promises';
import type { Settings } from '../options.ts';
import type { CommandRunner } from '../run/command-runner.ts';
import { NOT_FOUND } from '../run/command-runner.ts';
import { compareVersions, MIN_VERSIONS } from '../versions.ts';
import type { Finding } from './finding.ts';

/** What `docker info` says, as far as it matters here. */
interface DockerInfo {
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly ServerVersion?: string;
  readonly DockerRootDir?: string;
  readonly ServerErrors?: readonly string[];
}

/** What a cluster takes; docs/guides/kind.md says how the figures were put together. */
const NEEDS = {
  small: { cpus: 2, memoryBytes: 5.5e9, says: 'one node' },
  full: { cpus: 4, memoryBytes: 7.5e9, says: 'six nodes' },
};
const SMALL_NODES = 2;
const MIN_DISK_BYTES = 20e9;

/** Docker is there, answers, and has room. */
export async function checkDocker(settings: Settings, runner: CommandRunner, signal: AbortSignal): Promise<Finding[]> {
  const result = await runner.run({ program: 'docker', args: ['info', '--format', 'json'] }, signal);
  if (result.exitCode === NOT_FOUND)
    return [
      {
        check: 'Docker',
        state: 'problem',
        detail: 'docker was not found',
        remedy: 'install it: https://docs.docker.com/engine/install/',
      },
    ];
  const info = parseInfo(result.stdout);
  const trouble = info?.ServerErrors?.[0] ?? (result.exitCode === 0 && info ? undefined : result.stderr.trim());
  if (info === undefined || trouble !== undefined) return [unreachable(trouble ?? 'docker info says nothing', runner)];
  const version = info.ServerVersion ?? '0';
  if (compareVersions(version, MIN_VERSIONS.docker) < 0)
    return [
      {
        check: 'Docker',
        state: 'problem',
        detail: `version ${version}; ${MIN_VERSIONS.docker} or newer is needed`,
        remedy: 'update it: https://docs.docker.com/engine/install/',
      },
    ];
  if (settings.engine === 'cluster') return [{ check: 'Docker', state: 'ok', detail: `version ${version}` }];
  return [
    { check: 'Docker', state: 'ok', detail: `version ${version}` },
    ...checkSize(info, settings.controlPlanes + settings.workers),
    ...(await checkDisk(info.DockerRootDir)),
  ];
}

function parseInfo(text: string): DockerInfo | undefined {
  try {
    return JSON.parse(text) as DockerInfo;
  } catch {
    return undefined;
  }
}

function unreachable(said: string, runner: CommandRunner): Finding {
  const isPermission = /permission denied/i.test(said);
  return {
    check: 'Docker',
    state: 'problem',
    detail: `not reachable: ${said.split('\n')[0] || `see ${runner.logFile}`}`,
    remedy: isPermission
      ? 'sudo usermod -aG docker "$USER" && newgrp docker'
      : 'start it: sudo systemctl start docker   (or start Docker Desktop)',
  };
}

function checkSize(info: DockerInfo, nodes: number): Finding[] {
  const needs = nodes <= SMALL_NODES ? NEEDS.small : NEEDS.full;
  const cpus = info.NCPU ?? 0;
  const memory = info.MemTotal ?? 0;
  const smaller = nodes <= SMALL_NODES ? '' : ', or take the small profile: kind-e2e up --engine kind --one-node';
  const findings: Finding[] = [];
  const cpuDetail = `${cpus}; ${needs.says} need ${needs.cpus}`;
  findings.push(
    cpus >= needs.cpus
      ? { check: "Docker's CPUs", state: 'ok', detail: cpuDetail }
      : {
          check: "Docker's CPUs",
          state: 'problem',
          detail: cpuDetail,
          remedy: `give Docker ${needs.cpus} CPUs (Docker Desktop: Settings, Resources)${smaller}`,
        },
  );
  const memoryDetail = `${(memory / 1e9).toFixed(1)} GB; ${needs.says} need ${(needs.memoryBytes / 1e9).toFixed(1)} GB`;
  findings.push(
    memory >= needs.memoryBytes
      ? { check: "Docker's memory", state: 'ok', detail: memoryDetail }
      : {
          check: "Docker's memory",
          state: 'problem',
          detail: memoryDetail,
          remedy: `give Docker more memory (Docker Desktop: Settings, Resources; WSL 2: memory= in .wslconfig)${smaller}`,
        },
  );
  return findings;
}

/** Only where Docker's folder is on this machine; inside Docker Desktop's own machine it cannot be seen from here. */
async function checkDisk(root: string | undefined): Promise<Finding[]> {
  if (root === undefined) return [];
  const found = await statfs(root).catch(() => undefined);
  if (found === undefined) return [];
  const free = found.bavail * found.bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free at ${root}; images and volumes take up to ${MIN_DISK_BYTES / 1e9} GB`;
  if (free >= MIN_DISK_BYTES) return [{ check: "Docker's disk", state: 'ok', detail }];
  return [
    { check: "Docker's disk", state: 'problem', detail, remedy: 'docker system prune --all   frees what is unused' },
  ];
}
