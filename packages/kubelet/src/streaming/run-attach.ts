import { constants, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type Clock, systemCodeOf } from '@kind-e2e/base';
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
  await using opened = new AsyncDisposableStack();
  // The place from which output counts is taken before the first input arrives: what answers it is never missed.
  const out = streams.stdout ? await openEnd(join(directory, 'out'), opened) : undefined;
  const err = streams.stderr ? await openEnd(join(directory, 'err'), opened) : undefined;
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
    streams.stdout && out ? follow(out, streams.stdout, isOver, clock) : untilOver(isOver, clock),
    streams.stderr && err ? follow(err, streams.stderr, isOver, clock) : untilOver(isOver, clock),
  ]);
  await streams.finish(successStatus());
}

async function untilOver(isOver: () => boolean, clock: Clock): Promise<void> {
  while (!isOver()) await clock.sleep(POLL_MS);
}

interface OutputEnd {
  readonly handle: FileHandle;
  readonly offset: number;
}

async function openEnd(path: string, opened: AsyncDisposableStack): Promise<OutputEnd | undefined> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  opened.use(handle);
  return { handle, offset: (await handle.stat()).size };
}

async function follow(from: OutputEnd, sink: Writable, isOver: () => boolean, clock: Clock): Promise<void> {
  const { handle } = from;
  let { offset } = from;
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
}
