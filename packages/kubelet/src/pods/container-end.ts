import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@kind-e2e/base';
import { tailOfLog } from '../logs/log-tail.ts';
import type { NodeContext } from '../node/node-context.ts';
import type { ContainerRecord } from '../runtime/container-record.ts';
import { removeCpuGroups } from '../runtime/cpu-cgroups.ts';
import { parseProcessStat, readProcess } from '../runtime/processes.ts';
import type { ExitInfo } from '../runtime/running-container.ts';

const MAX_TERMINATION_MESSAGE_BYTES = 4096;
const MAX_FALLBACK_BYTES = 2048;
const MAX_FALLBACK_LINES = 80;
/** What a container that was killed, or whose end nobody saw, is said to have ended with. */
const UNKNOWN_EXIT_CODE = 137;

/** Puts into the record how a run ended: code, reason and message as containerd and the kubelet tell them. */
export async function noteEnd(
  record: ContainerRecord,
  exit: ExitInfo,
  policy: string | undefined,
  logPath: string,
): Promise<void> {
  record.finishedAt = exit.finishedAt;
  record.exitCode = record.stopCause === 'memory' ? UNKNOWN_EXIT_CODE : (exit.exitCode ?? UNKNOWN_EXIT_CODE);
  if (record.stopCause === 'memory') record.reason = 'OOMKilled';
  else if (exit.exitCode === undefined) {
    record.reason = 'ContainerStatusUnknown';
    record.message = 'The container could not be located when the pod was terminated';
  } else record.reason = exit.exitCode === 0 ? 'Completed' : 'Error';
  const message = await terminationMessage(record, policy, logPath);
  if (message !== '') record.message = message;
}

/** The container's own words, or the end of its log where the policy says so. */
async function terminationMessage(
  record: ContainerRecord,
  policy: string | undefined,
  logPath: string,
): Promise<string> {
  const file = record.terminationMessageFile;
  let text = '';
  if (file !== undefined) {
    const handle = await open(file, 'r').catch(() => undefined);
    if (handle) {
      const buffer = Buffer.alloc(MAX_TERMINATION_MESSAGE_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0).finally(() => handle.close());
      text = buffer.toString('utf8', 0, bytesRead);
    }
  }
  if (text !== '' || policy !== 'FallbackToLogsOnError' || record.exitCode === 0) return text;
  return tailOfLog(logPath, MAX_FALLBACK_LINES, MAX_FALLBACK_BYTES);
}

/** A kubelet that died between the start of a program and its note: the launch script's file knows it. */
export async function findMain(record: ContainerRecord, folder: string): Promise<void> {
  const text = await readFile(join(folder, 'pid'), 'latin1').catch(() => '');
  const found = parseProcessStat(text);
  if (!found) return;
  record.main = { pid: found.pid, startTime: found.startTime };
  record.startedAt ??= record.createdAt;
  const launcher = readProcess(found.parent);
  if (launcher) record.launcher = { pid: launcher.pid, startTime: launcher.startTime };
}

/** The launch script leaves a moment after the program; a group that still has processes goes with the kubelet. */
export function forgetCpuGroup({ clock, shared }: NodeContext, containerId: string): void {
  if (shared.cpu.version !== undefined) clock.after(1_000, () => removeCpuGroups(shared.cpu, containerId));
}

/** Waits for a deadline that may come closer meanwhile, at most as long as something is so. */
export async function waitUntil(clock: Clock, deadline: () => number, isSo: () => boolean): Promise<undefined> {
  for (let left = deadline() - clock.monotonic(); left > 0 && isSo(); left = deadline() - clock.monotonic())
    await clock.sleep(Math.min(left, 500));
}
