import { connect, type Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { type Clock, messageOf, systemCodeOf } from '@kind-e2e/base';
import type { WebSocket } from 'ws';
import { SpdySession, type SpdyStream } from './spdy/session.ts';

export interface ForwardTarget {
  readonly podUid: string;
  /** Addresses at which the pod's ports are looked for, in order. */
  readonly addresses: readonly string[];
}

const PAIR_TIMEOUT_MS = 30_000;

/**
 * Forwards ports over SPDY: the client opens an `error` and a `data` stream for each connection, with the same
 * `requestid` (kubelet cri/streaming/portforward/httpstream.go).
 */
export function forwardOverSpdy(connection: Duplex, target: ForwardTarget, clock: Clock): void {
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream; timer: Disposable }>();
  const session = new SpdySession(connection, (stream) => {
    const type = stream.headers.get('streamtype');
    const port = Number(stream.headers.get('port'));
    // Old clients send no request id: the error stream's number, and the data stream's less two (httpstream.go).
    const id = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2);
    if ((type !== 'error' && type !== 'data') || !Number.isInteger(port) || port < 1 || port > 65_535) {
      stream.destroy();
      return;
    }
    const pair = pairs.get(id) ?? { timer: clock.after(PAIR_TIMEOUT_MS, () => drop(id)) };
    pair[type] = stream;
    pairs.set(id, pair);
    if (!pair.error || !pair.data) return;
    pair.timer[Symbol.dispose]();
    pairs.delete(id);
    void forwardOne(pair.data, pair.error, port, target);
  });
  const drop = (id: string): void => {
    const pair = pairs.get(id);
    pairs.delete(id);
    pair?.error?.end(`error creating forwarding stream: timed out waiting for streams of request ${id}`);
    pair?.data?.destroy();
  };
  void session.ended.then(() => {
    for (const pair of pairs.values()) pair.timer[Symbol.dispose]();
  });
}

async function forwardOne(data: SpdyStream, error: SpdyStream, port: number, target: ForwardTarget): Promise<void> {
  error.resume();
  try {
    const socket = await dial(target, port);
    await joinStreams(data, socket);
  } catch (failure) {
    error.write(failureMessage(failure, port, target));
    data.resume();
    data.end();
  }
  error.end();
}

/** Copies both ways until both have ended. */
function joinStreams(client: Duplex, pod: Socket): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const done = (): void => {
      if (--open === 0) resolve();
    };
    client.once('close', () => {
      pod.destroy();
      resolve();
    });
    pod.once('error', () => client.end());
    pod.once('close', () => {
      client.end();
      done();
    });
    client.once('finish', done);
    client.pipe(pod);
    pod.pipe(client);
  });
}

async function dial(target: ForwardTarget, port: number): Promise<Socket> {
  let failure: unknown = new Error('the pod has no address');
  for (const host of target.addresses) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect({ host, port, allowHalfOpen: true });
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(socket);
        });
        socket.once('error', reject);
      });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** containerd's words, which kubectl prints. */
function failureMessage(failure: unknown, port: number, target: ForwardTarget): string {
  const why =
    systemCodeOf(failure) === 'ECONNREFUSED'
      ? `dial tcp4 127.0.0.1:${port}: connect: connection refused`
      : messageOf(failure);
  return `error forwarding port ${port} to pod ${target.podUid}, uid : failed to execute portforward in network namespace "${target.podUid}": failed to connect to localhost:${port} inside namespace "${target.podUid}", IPv4: ${why}`;
}

/**
 * Forwards ports over the older WebSocket protocols: two channels for each port of the request, data and error, which
 * both begin with the port's number (kubelet cri/streaming/portforward/websocket.go).
 */
export function forwardOverWebsocket(socket: WebSocket, ports: readonly number[], target: ForwardTarget): void {
  const isBase64 = socket.protocol.includes('base64');
  const send = (channel: number, data: Buffer): void => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(isBase64 ? `${channel}${data.toString('base64')}` : Buffer.concat([Buffer.from([channel]), data]));
  };
  const sinks: (Writable | undefined)[] = [];
  const waiting: Buffer[][] = ports.map(() => []);
  for (const [index, port] of ports.entries()) {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    send(index * 2, number);
    send(index * 2 + 1, number);
    dial(target, port).then(
      (pod) => {
        sinks[index] = pod;
        for (const chunk of waiting[index] ?? []) pod.write(chunk);
        pod.on('data', (chunk: Buffer) => send(index * 2, chunk));
        pod.on('error', () => undefined);
        pod.once('close', () => {
          if (sinks.every((each) => each === undefined || each.destroyed)) socket.close(1000);
        });
        socket.once('close', () => pod.destroy());
      },
      (failure: unknown) => send(index * 2 + 1, Buffer.from(failureMessage(failure, port, target))),
    );
  }
  socket.on('error', () => undefined);
  socket.on('message', (message: Buffer) => {
    const channel = isBase64 ? (message[0] ?? 0) - 48 : (message[0] ?? -1);
    const data = isBase64 ? Buffer.from(message.toString('latin1', 1), 'base64') : Buffer.from(message.subarray(1));
    if (channel % 2 !== 0 || channel / 2 >= ports.length) return;
    const sink = sinks[channel / 2];
    if (sink) sink.write(data);
    else waiting[channel / 2]?.push(data);
  });
}
