import type { Socket } from 'node:net';

export interface PipeStats {
  /** From the client. */
  received: number;
  /** To the client. */
  sent: number;
}

/**
 * Passes bytes both ways, waits where a side is slow, and passes on the end of each direction by itself. `done` is
 * called once, when both sides are closed.
 */
export function pipeBoth(client: Socket, server: Socket, stats: PipeStats, done: () => void): void {
  let open = 2;
  const closed = (other: Socket) => (): void => {
    other.destroy();
    if (--open === 0) done();
  };
  oneWay(client, server, (bytes) => {
    stats.received += bytes;
  });
  oneWay(server, client, (bytes) => {
    stats.sent += bytes;
  });
  client.once('close', closed(server));
  server.once('close', closed(client));
  client.resume();
  server.resume();
}

function oneWay(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (to.writable && !to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => {});
}
