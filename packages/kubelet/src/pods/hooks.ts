import { messageOf } from '@kind-e2e/base';
import type { Container, LifecycleHandler, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { NodeContext } from '../node/node-context.ts';
import { portOf } from '../probes/container-probes.ts';
import { probeHttp } from '../probes/http-probe.ts';
import type { ContainerRecord } from '../runtime/container-record.ts';
import { runInContainer } from '../runtime/exec.ts';
import { formatPod } from './pod-model.ts';

/** Runs a postStart or preStop handler; gives what went wrong (kubernetes pkg/kubelet/lifecycle/handlers.go). */
export async function runHook(
  node: NodeContext,
  pod: Pod,
  container: Container,
  record: ContainerRecord,
  handler: LifecycleHandler,
  address: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const name = `Container "${container.name}" in Pod "${formatPod(pod)}"`;
  try {
    if (handler.exec) {
      const command = handler.exec.command ?? [];
      if (record.isPause) return undefined;
      const { exitCode, output } = await runInContainer(record, node.shared.mode, command, timeoutMs, node.clock);
      if (exitCode === 0) return undefined;
      const how = exitCode === undefined ? 'timed out' : `exited with ${exitCode}: `;
      return `Exec lifecycle hook ([${command.join(' ')}]) for ${name} failed - error: command '${command.join(' ')}' ${how}, message: ${JSON.stringify(output)}`;
    }
    if (handler.httpGet) {
      const port = portOf(container, handler.httpGet.port);
      if (port === undefined) return `couldn't find port ${handler.httpGet.port}`;
      const outcome = await probeHttp({
        scheme: handler.httpGet.scheme ?? 'HTTP',
        host: handler.httpGet.host || address,
        port,
        path: handler.httpGet.path ?? '/',
        headers: handler.httpGet.httpHeaders ?? [],
        timeoutMs,
      });
      if (outcome.ok) return undefined;
      return `HTTP lifecycle hook (${handler.httpGet.path ?? '/'}) for ${name} failed - error: ${outcome.message}`;
    }
    const sleep = (handler as { sleep?: { seconds?: number } }).sleep;
    if (sleep) {
      await node.clock.sleep(Math.min((sleep.seconds ?? 0) * 1000, timeoutMs));
      return undefined;
    }
    return handler.tcpSocket ? undefined : 'invalid handler: no action';
  } catch (error) {
    return messageOf(error);
  }
}
