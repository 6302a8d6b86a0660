import { constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '@kind-e2e/base';
import type { ContainerSlot } from '../pods/container-slot.ts';
import { type ExecFlags, type ExecStreams, successStatus } from './exec-streams.ts';

const POLL_MS = 30;
const CHUNK_BYTES = 64 * 1024;

/** Connects a client to what a running container writes from now on, and to its standard input where it has one. */
export async function runAttach(
  slot: ContainerSlot,
  directory: string,
  flags: ExecFlags,
  streams: ExecStreams,
  clock: Clock,
): Promise<void> {
  const { record } = slot;
  if (flags.stdin && streams.stdin && record?.hasStdin) {
    // The reader of the pipe is there, so opening for writing does not wait.
    const fd = openSync(join(directory, 'stdin'), constants.O_WRONLY | constants.O_NONBLOCK);
    const sink = new Socket({ fd, readable: false, writable: true });
    sink.on('error', () => undefined);
    streams.stdin.pipe(sink);
    streams.stdin.once('end', () => slot.closeStdin());
  } else streams.stdin?.resume();
  const isOver = (): boolean => streams.signal.aborted || slot.record?.id !== record?.id || !slot.isRunning;
  await Promise.all([
    streams.stdout ? follow(join(directory, 'out'), streams.stdout, isOver, clock) : undefined,
    streams.stderr ? follow(join(directory, 'err'), streams.stderr, isOver, clock) : undefined,
    (streams.stdout ?? streams.stderr) ? undefined : untilOver(isOver, clock),
  ]);
  await streams.finish(successStatus());
}

async function untilOver(isOver: () => boolean, clock: Clock): Promise<void> {
  while (!isOver()) await clock.sleep(POLL_MS);
}

async function follow(path: string, sink: Writable, isOver: () => boolean, clock: Clock): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return untilOver(isOver, clock);
  try {
    let offset = (await handle.stat()).size;
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const isLast = isOver();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      if (bytesRead > 0) {
        offset += bytesRead;
        const chunk = Buffer.from(buffer.subarray(0, bytesRead));
        await new Promise<void>((resolve) => sink.write(chunk, () => resolve()));
      } else if (isLast) return;
      else await clock.sleep(POLL_MS);
    }
  } finally {
    await handle.close();
  }
}
