import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '@kind-e2e/base';
import { internalError, type Status } from '@kind-e2e/kube-api';
import type { StreamTarget } from './kubelet-target.ts';

/** Headers that are about this hop, or that say who asked. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'te',
  'trailer',
]);
const BEARER_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./;

/**
 * Passes an upgraded connection (SPDY/3.1 or WebSocket) on, byte for byte, from the request's head to the end. What
 * the target answers, the client gets.
 */
export function passUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  target: StreamTarget,
  signal: AbortSignal,
): void {
  const upstream = openConnection(target);
  let isOpen = false;
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  upstream.once(target.isTls ? 'secureConnect' : 'connect', () => {
    isOpen = true;
    upstream.write(requestHead(request, target));
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on('error', (error) => {
    if (isOpen) end();
    else refuseUpgrade(client, internalError(`error dialing backend: ${messageOf(error)}`).status);
  });
  client.on('error', end);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
  signal.addEventListener('abort', end, { once: true });
  upstream.on('close', () => signal.removeEventListener('abort', end));
}

/** Answers a request for an upgrade with a Status, on the bare connection. */
export function refuseUpgrade(client: Duplex, status: Status): void {
  if (client.destroyed) return;
  const body = JSON.stringify(status);
  client.on('error', () => client.destroy());
  client.end(
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

export function openConnection(target: StreamTarget): Socket {
  const socket = target.isTls
    ? connectTls({
        host: target.host,
        port: target.port,
        ...(target.caPem === undefined ? { rejectUnauthorized: false } : { ca: target.caPem }),
        ALPNProtocols: ['http/1.1'],
      })
    : connectTcp({ host: target.host, port: target.port });
  socket.setNoDelay(true);
  return socket;
}

function requestHead(request: IncomingMessage, target: StreamTarget): string {
  const lines = [`${request.method ?? 'GET'} ${target.path} HTTP/1.1`, `Host: ${target.host}:${target.port}`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    const value = request.rawHeaders[i + 1] ?? '';
    if (OWN_HEADERS.has(name.toLowerCase())) continue;
    if (name.toLowerCase() === 'sec-websocket-protocol') {
      const protocols = value
        .split(',')
        .map((one) => one.trim())
        .filter((one) => !BEARER_PROTOCOL.test(one));
      if (protocols.length > 0) lines.push(`${name}: ${protocols.join(', ')}`);
      continue;
    }
    lines.push(`${name}: ${value}`);
  }
  for (const [name, value] of Object.entries(target.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
