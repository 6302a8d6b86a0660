import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { appAddressOf } from '@kind-e2e/base';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { isInjected } from '../pods/pod-model.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { findSlot, findWorker, HttpError } from '../server/lookup.ts';
import type { KubeletServerContext } from '../server/server.ts';
import type { ExecFlags, ExecStreams } from './exec-streams.ts';
import { type ForwardTarget, forwardOverSpdy, forwardOverWebsocket } from './port-forward.ts';
import { runAttach } from './run-attach.ts';
import { runExec } from './run-exec.ts';
import { acceptSpdy, EXEC_PROTOCOLS, offeredProtocols, spdyExecStreams } from './spdy-exec.ts';
import { WEBSOCKET_EXEC_PROTOCOLS, websocketExecStreams } from './websocket-exec.ts';

const SPDY_TUNNEL = 'SPDY/3.1+portforward.k8s.io';
const PORT_FORWARD_PROTOCOLS = [
  SPDY_TUNNEL,
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** Takes upgrades of `/exec`, `/attach` and `/portForward` to SPDY/3.1 or WebSocket. */
export class StreamingServer {
  readonly #options: KubeletServerContext;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered, request) => {
      const known = request.url?.startsWith('/portForward/') ? PORT_FORWARD_PROTOCOLS : WEBSOCKET_EXEC_PROTOCOLS;
      return known.find((each) => offered.has(each)) ?? false;
    },
  });

  constructor(options: KubeletServerContext) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      if (error instanceof HttpError) refuse(socket, error.status, error.message);
      else {
        this.#options.context.logger.error('a stream failed', { url: request.url, error });
        socket.destroy();
      }
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    await this.#options.callers.check(request);
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [, endpoint, namespace = '', name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const worker = findWorker(this.#options.workers(), namespace, name);
    if (endpoint === 'portForward') return this.#portForward(request, socket, head, worker, url.searchParams);
    if (endpoint !== 'exec' && endpoint !== 'attach') throw new HttpError(404, '404 page not found');
    // `/exec/<namespace>/<pod>/<container>`, or with the pod's uid before the container.
    const slot = findSlot(worker, rest.at(-1) ?? '');
    const { record } = slot;
    if (!record || !slot.isRunning)
      throw new HttpError(500, `unable to upgrade connection: container not found ("${slot.spec.name}")`);
    if (record.isPause && endpoint === 'exec')
      throw new HttpError(
        500,
        'a pause container has no process of its own in the embedded engine: nothing can run in it',
      );
    const flags = flagsOf(url.searchParams);
    const streams = await this.#execStreams(request, socket, head, flags);
    if (!streams) return;
    const { context } = this.#options;
    if (endpoint === 'exec') {
      await runExec(record, context.shared.mode, url.searchParams.getAll('command'), flags, streams);
      return;
    }
    const isTty = { ...flags, tty: record.hasTty };
    await runAttach(slot, worker.containerFolder(slot), isTty, streams, context.clock);
  }

  async #execStreams(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    flags: ExecFlags,
  ): Promise<ExecStreams | undefined> {
    if (isSpdy(request)) {
      const offered = offeredProtocols(request);
      const protocol = offered.length === 0 ? 'channel.k8s.io' : EXEC_PROTOCOLS.find((each) => offered.includes(each));
      if (protocol === undefined)
        throw new HttpError(403, `unable to negotiate protocol: client supports [${offered.join(' ')}]`);
      acceptSpdy(socket, protocol);
      if (head.length > 0) socket.unshift(head);
      return spdyExecStreams(socket, protocol, flags, this.#options.context.clock);
    }
    const websocket = await this.#websocket(request, socket, head);
    return websocketExecStreams(websocket, flags);
  }

  async #portForward(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    worker: PodWorker,
    query: URLSearchParams,
  ): Promise<void> {
    const target = targetOf(worker);
    const { clock } = this.#options.context;
    if (isSpdy(request)) {
      const offered = offeredProtocols(request);
      if (offered.length > 0 && !offered.includes('portforward.k8s.io'))
        throw new HttpError(
          403,
          `unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [portforward.k8s.io]`,
        );
      acceptSpdy(socket, 'portforward.k8s.io');
      if (head.length > 0) socket.unshift(head);
      forwardOverSpdy(socket, target, clock);
      return;
    }
    const websocket = await this.#websocket(request, socket, head);
    if (websocket.protocol === SPDY_TUNNEL) {
      const tunnel = createWebSocketStream(websocket);
      tunnel.on('error', () => undefined);
      forwardOverSpdy(tunnel, target, clock);
      return;
    }
    const ports = query
      .getAll('port')
      .flatMap((each) => each.split(','))
      .map(Number);
    if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
      websocket.close(1008, 'query parameter "port" is required');
      return;
    }
    forwardOverWebsocket(websocket, ports, target);
  }

  #websocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
    if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket')
      throw new HttpError(400, 'Upgrade request required');
    return new Promise((resolve) => {
      this.#sockets.handleUpgrade(request, socket, head, resolve);
    });
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }
}

function isSpdy(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? '').toLowerCase() === 'spdy/3.1';
}

function flagsOf(query: URLSearchParams): ExecFlags {
  const isOn = (...names: string[]): boolean => names.some((name) => /^(?:1|true)$/.test(query.get(name) ?? ''));
  return {
    stdin: isOn('input', 'stdin'),
    stdout: isOn('output', 'stdout'),
    stderr: isOn('error', 'stderr'),
    tty: isOn('tty'),
  };
}

/** The app's own address first, as a real port-forward goes past the sidecar; then the pod's. */
function targetOf(worker: PodWorker): ForwardTarget {
  const { podIP, pod } = worker;
  if (podIP === undefined) throw new HttpError(500, 'unable to upgrade connection: pod does not run');
  const addresses = isInjected(pod) && !pod.spec?.hostNetwork ? [appAddressOf(podIP), podIP] : [podIP];
  return { podUid: worker.uid, addresses };
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

function refuse(socket: Duplex, status: number, message: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}\r\nConnection: close\r\n\r\n${message}`,
  );
}
