import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@kind-e2e/base';
import type { ExecFlags, ExecStatus, ExecStreams, TerminalSize } from './exec-streams.ts';
import { SpdySession, type SpdyStream } from './spdy/session.ts';

/** Protocols of remote commands over SPDY (k8s.io/apimachinery remotecommand constants), best first. */
export const EXEC_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];
const STREAMS_TIMEOUT_MS = 30_000;

/** Protocols that the client offers in `X-Stream-Protocol-Version`, in its order. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers['x-stream-protocol-version'];
  return (Array.isArray(header) ? header : (header ?? '').split(',')).map((each) => each.trim()).filter(Boolean);
}

/** Answers the upgrade to SPDY/3.1. */
export function acceptSpdy(socket: Duplex, protocol: string | undefined): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${
      protocol === undefined ? '' : `X-Stream-Protocol-Version: ${protocol}\r\n`
    }\r\n`,
  );
}

/** Takes an exec or attach over SPDY: waits for the client's streams, one for each part, and gives them. */
export async function spdyExecStreams(
  connection: Duplex,
  protocol: string,
  flags: ExecFlags,
  clock: Clock,
): Promise<ExecStreams | undefined> {
  const streams = new Map<string, SpdyStream>();
  const hasResize = flags.tty && !['channel.k8s.io', 'v2.channel.k8s.io'].includes(protocol);
  const wanted = [
    'error',
    ...(flags.stdin ? ['stdin'] : []),
    ...(flags.stdout ? ['stdout'] : []),
    ...(flags.stderr && !flags.tty ? ['stderr'] : []),
    ...(hasResize ? ['resize'] : []),
  ];
  const complete = Promise.withResolvers<boolean>();
  const session = new SpdySession(connection, (stream) => {
    streams.set(stream.headers.get('streamtype') ?? '', stream);
    if (wanted.every((type) => streams.has(type))) complete.resolve(true);
  });
  void session.ended.then(() => complete.resolve(false));
  const timer = clock.after(STREAMS_TIMEOUT_MS, () => complete.resolve(false));
  const isComplete = await complete.promise;
  timer[Symbol.dispose]();
  if (!isComplete) {
    session.close();
    return undefined;
  }
  const abort = new AbortController();
  void session.ended.then(() => abort.abort());
  const resize = streams.get('resize');
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    onResize: (call) => resize && readSizes(resize, call),
    signal: abort.signal,
    async finish(status) {
      const error = streams.get('error');
      const text = statusText(status, protocol);
      if (text !== '') error?.write(text);
      await Promise.all(
        [error, streams.get('stdout'), streams.get('stderr')].map(
          (stream) =>
            new Promise<void>((resolve) => {
              if (!stream || stream.destroyed) resolve();
              else {
                stream.once('close', resolve);
                stream.end(() => resolve());
              }
            }),
        ),
      );
      session.finish();
      // The client closes when it has read all; one that does not is cut off.
      clock.after(5_000, () => session.close());
    },
  };
}

/** From v4 on the status is JSON, before only the message of a failure. */
export function statusText(status: ExecStatus, protocol: string): string {
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status);
  return status.status === 'Success' ? '' : (status.message ?? '');
}

/** Sizes come as JSON objects one after the other. */
export function readSizes(source: AsyncIterable<Buffer>, call: (size: TerminalSize) => void): void {
  void (async () => {
    let text = '';
    try {
      for await (const chunk of source) {
        text += chunk.toString('utf8');
        for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
          const size = parseSize(text.slice(0, end + 1));
          text = text.slice(end + 1);
          if (size) call(size);
        }
      }
    } catch {
      // The client is gone.
    }
  })();
}

export function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as Partial<TerminalSize>;
    if (typeof Width !== 'number' || typeof Height !== 'number' || Width <= 0 || Height <= 0) return undefined;
    return { Width: Math.min(Width, 65_535), Height: Math.min(Height, 65_535) };
  } catch {
    return undefined;
  }
}
