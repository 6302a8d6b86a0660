import { access, constants, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { LabError, messageOf } from '@kind-e2e/base';
import {
  DEFAULT_PORTS,
  findTool,
  isLabRunning,
  isPortTaken,
  probeCpuControl,
  readLabConfig,
  resolveDataDir,
} from '@kind-e2e/embedded';
import type { Command } from 'commander';
import type { CommandContext, DataDirOption } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';
import { doctorReal } from '../real-cluster/commands.ts';
import { addRealClusterOptions, engineOption, isRealEngine, type RealClusterFlags } from '../real-cluster/flags.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  readonly remedy?: string;
}

const MIN_MEMORY_BYTES = 1_000_000_000;
const MIN_DISK_BYTES = 1_000_000_000;

/** `doctor`: each thing that a lab needs, and what to do where it is missing. Exit code 1 on a problem. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description('check this machine; each problem comes with what mends it')
    .addOption(engineOption().default('embedded'))
    .option('--json', 'print it as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP);
  addRealClusterOptions(command);
  command.action(async (flags: RealClusterFlags & { readonly json?: boolean }) => {
    const findings: readonly Finding[] = isRealEngine(flags.engine)
      ? await doctorReal(flags, context)
      : await checkEmbedded(flags, context);
    if (flags.json) context.out(JSON.stringify(findings, null, 2));
    else for (const finding of findings) context.out(render(finding));
    if (findings.some((finding) => finding.state === 'problem')) process.exitCode = 1;
  });
}

async function checkEmbedded(flags: DataDirOption, context: CommandContext): Promise<Finding[]> {
  const dataDir = resolveDataDir(flags.dataDir, context.cwd);
  const checks = [
    checkNode(),
    checkLoopback(),
    checkLowPorts(),
    checkMemory(),
    checkCpuLimits(dataDir),
    checkDisk(dataDir),
    checkTool('helm', 'problem', context),
    checkTool('kubectl', 'warning', context),
    checkPorts(dataDir),
  ];
  return (await Promise.all(checks)).flat();
}

function render(finding: Finding): string {
  const mark = { ok: '✔', warning: '!', problem: '✖' }[finding.state];
  const line = `${mark} ${finding.check}: ${finding.detail}`;
  return finding.remedy === undefined ? line : `${line}\n    ${finding.remedy}`;
}

async function checkNode(): Promise<Finding[]> {
  return [{ check: 'Node', state: 'ok', detail: `${process.version} on ${process.platform} ${process.arch}` }];
}

async function checkLoopback(): Promise<Finding[]> {
  try {
    await isPortTaken('127.9.9.9', 0);
    return [{ check: 'Loopback addresses', state: 'ok', detail: 'all of 127.0.0.0/8 answers' }];
  } catch (error) {
    const add = 'for n in $(seq 8 15); do for m in $(seq 1 40); do sudo ifconfig lo0 alias 127.$n.0.$m; done; done';
    return [
      {
        check: 'Loopback addresses',
        state: 'problem',
        detail: `only 127.0.0.1 answers (${messageOf(error)})`,
        remedy: process.platform === 'darwin' ? `add them until the next restart: ${add}` : 'use --engine kind',
      },
    ];
  }
}

/** Services on ports such as 80 need a listener there, which Linux keeps from ordinary users: the kubelet shifts them. */
async function checkLowPorts(): Promise<Finding[]> {
  try {
    await isPortTaken('127.9.9.9', 80);
    return [{ check: 'Ports below 1024', state: 'ok', detail: 'services may use them' }];
  } catch (error) {
    return [
      {
        check: 'Ports below 1024',
        state: 'ok',
        detail: `kept from ordinary users (${messageOf(error)}): Node programs use them all the same; others find such services by their variables, or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start=80`,
      },
    ];
  }
}

async function checkMemory(): Promise<Finding[]> {
  const total = totalmem();
  const detail = `${(total / 1e9).toFixed(1)} GB; a lab takes about 0.5 GB`;
  if (total >= MIN_MEMORY_BYTES) return [{ check: 'Memory', state: 'ok', detail }];
  return [{ check: 'Memory', state: 'warning', detail, remedy: 'end other programs, or the lab will be slow' }];
}

/** CPU limits need control groups that this user may write to; memory limits do not. */
async function checkCpuLimits(dataDir: string): Promise<Finding[]> {
  const { version, reason } = probeCpuControl(dataDir);
  if (version !== undefined) return [{ check: 'CPU limits', state: 'ok', detail: `enforced by ${reason}` }];
  return [
    {
      check: 'CPU limits',
      state: 'warning',
      detail: `of containers are not enforced: ${reason}`,
      remedy: 'run the lab as root, or in a scope that systemd delegates: systemd-run --user --scope -p Delegate=yes …',
    },
  ];
}

async function checkDisk(dataDir: string): Promise<Finding[]> {
  let folder = dataDir;
  while (
    !(await access(folder).then(
      () => true,
      () => false,
    )) &&
    dirname(folder) !== folder
  )
    folder = dirname(folder);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return [
      {
        check: 'Data directory',
        state: 'problem',
        detail: `${folder} cannot be written`,
        remedy: 'name another with --data-dir',
      },
    ];
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${dataDir}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free >= MIN_DISK_BYTES) return [{ check: 'Data directory', state: 'ok', detail }];
  return [
    {
      check: 'Data directory',
      state: 'warning',
      detail,
      remedy: 'free some space, or name another disk with --data-dir',
    },
  ];
}

async function checkTool(
  name: 'helm' | 'kubectl',
  severity: 'warning' | 'problem',
  context: CommandContext,
): Promise<Finding[]> {
  try {
    const path = await findTool(name, { directory: context.installation.tools, env: context.env });
    return [{ check: name, state: 'ok', detail: path }];
  } catch (error) {
    const remedy = error instanceof LabError ? error.remedy : undefined;
    return [{ check: name, state: severity, detail: messageOf(error), ...(remedy === undefined ? {} : { remedy }) }];
  }
}

async function checkPorts(dataDir: string): Promise<Finding[]> {
  const config = await readLabConfig(dataDir);
  if (await isLabRunning(dataDir)) return [{ check: 'Ports', state: 'ok', detail: 'held by the lab, which runs' }];
  const findings: Finding[] = [];
  for (const [name, port] of Object.entries({ ...DEFAULT_PORTS, ...config?.ports })) {
    if (port === 0 || !(await isPortTaken('127.0.0.1', port))) continue;
    const needed = ['gateway', 'api', 'registry'].includes(name);
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-port`;
    findings.push({
      check: `Port ${port}`,
      state: needed ? 'problem' : 'warning',
      detail: `taken by another program; it is for ${name}`,
      remedy: `find it with: ss -ltnp 'sport = :${port}'   or start with ${flag} PORT`,
    });
  }
  return findings.length > 0 ? findings : [{ check: 'Ports', state: 'ok', detail: 'all free' }];
}
