import { connect } from 'node:net';
import { dialMessage, type ProbeOutcome } from './http-probe.ts';

/** Healthy when a connection is made (kubernetes pkg/probe/tcp). */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
    socket.once('connect', () => {
      socket.destroy();
      resolve({ ok: true, message: '' });
    });
    socket.once('error', (error) => {
      const isLate = error.name === 'AbortError' || error.name === 'TimeoutError';
      resolve({
        ok: false,
        message: isLate ? `dial tcp ${host}:${port}: i/o timeout` : dialMessage(error, host, port),
      });
    });
  });
}
