import { PassThrough, type Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ExecFlags, ExecStreams, TerminalSize } from './exec-streams.ts';
import { parseSize, statusText } from './spdy-exec.ts';

/** Subprotocols of remote commands over WebSocket (kubelet cri/streaming/remotecommand/websocket.go). */
export const WEBSOCKET_EXEC_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;

/** Takes an exec or attach over a WebSocket: the first byte of a message names its channel. */
export function websocketExecStreams(socket: WebSocket, flags: ExecFlags): ExecStreams {
  const protocol = socket.protocol;
  const isBase64 = protocol.includes('base64');
  const stdin = flags.stdin ? new PassThrough() : undefined;
  const abort = new AbortController();
  let onSize: (size: TerminalSize) => void = () => undefined;
  let lastSize: TerminalSize | undefined;
  stdin?.on('error', () => undefined);
  socket.on('message', (message: Buffer) => {
    const channel = isBase64 ? (message[0] ?? 0) - 48 : (message[0] ?? -1);
    const data = isBase64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1);
    if (channel === STDIN && stdin && !stdin.writableEnded) {
      if (data.length > 0 && !stdin.write(data)) {
        socket.pause();
        stdin.once('drain', () => socket.resume());
      }
    } else if (channel === CLOSE && data[0] === STDIN) stdin?.end();
    else if (channel === RESIZE) {
      const size = parseSize(data.toString('utf8'));
      if (!size) return;
      lastSize = size;
      onSize(size);
    }
  });
  const leave = (): void => {
    stdin?.end();
    abort.abort();
  };
  socket.on('close', leave);
  socket.on('error', leave);
  const send = (channel: number, data: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const payload = isBase64 ? `${channel}${data.toString('base64')}` : Buffer.concat([Buffer.from([channel]), data]);
      socket.send(payload, (error) => (error ? reject(error) : resolve()));
    });
  const output = (channel: number): Writable => {
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        send(channel, chunk).then(
          () => done(),
          (error: Error) => done(error),
        );
      },
    });
    stream.on('error', () => undefined);
    return stream;
  };
  // An empty message tells the client that the streams are open.
  void send(flags.stdout ? STDOUT : flags.stderr && !flags.tty ? STDERR : ERROR, Buffer.alloc(0)).catch(
    () => undefined,
  );
  const stdout = flags.stdout ? output(STDOUT) : undefined;
  const stderr = flags.stderr && !flags.tty ? output(STDERR) : undefined;
  return {
    stdin: stdin as Readable | undefined,
    stdout,
    stderr,
    onResize(call) {
      onSize = call;
      if (lastSize) call(lastSize);
    },
    signal: abort.signal,
    async finish(status) {
      await Promise.all(
        [stdout, stderr].map((stream) => stream && new Promise<void>((resolve) => stream.end(() => resolve()))),
      );
      const text = statusText(status, protocol);
      if (text !== '') await send(ERROR, Buffer.from(text)).catch(() => undefined);
      socket.close(1000);
    },
  };
}
