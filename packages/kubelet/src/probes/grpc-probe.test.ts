import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeGrpc } from './grpc-probe.ts';

let server: Http2Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

/** A server whose health service does this with each call; gives its port. */
async function serve(answer: (stream: ServerHttp2Stream) => void): Promise<number> {
  const made = createServer();
  server = made;
  made.on('stream', answer);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
}

describe('a gRPC probe', () => {
  it('tells a closed port as the real client does, which tries until its time is over', async () => {
    const port = await serve(() => undefined);
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    expect(await probeGrpc('127.0.0.1', port, '', 1_000)).toEqual({
      ok: false,
      message: `timeout: failed to connect service "127.0.0.1:${port}" within 1s: context deadline exceeded`,
    });
  });

  it('tells a call that is not answered', async () => {
    const port = await serve(() => undefined);
    const outcome = await probeGrpc('127.0.0.1', port, '', 1_000);
    expect(outcome).toEqual({ ok: false, message: 'timeout: health rpc did not complete within 1s' });
  });

  it.each([
    ['5', 'unknown service', 'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service'],
    ['12', 'nope', 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): nope'],
  ])('tells the status %s', async (code, text, message) => {
    const port = await serve((stream) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code, 'grpc-message': text },
        { endStream: true },
      ),
    );
    expect(await probeGrpc('127.0.0.1', port, 'x', 1_000)).toEqual({ ok: false, message });
  });
});
