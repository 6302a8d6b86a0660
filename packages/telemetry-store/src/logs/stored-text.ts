import type { ByteAutomaton } from '@kind-e2e/telemetry';
import { MalformedError } from '../bytes/byte-reader.ts';
import { decompress } from './chunk-codec.ts';
import type { LogsFile } from './file.ts';
import { ShapedLines } from './shaped-lines.ts';

/** The shaped lines of a stored chunk; undefined for chunks of earlier versions, and for those that are gone. */
export function openShaped(
  file: LogsFile,
  chunk: number,
  mayAccept?: (automaton: ByteAutomaton) => boolean,
): ShapedLines | undefined {
  const shapes = file.shapes(chunk);
  if (!shapes) return undefined;
  return new ShapedLines({
    index: () => decompress(shapes),
    order: () => decompress(file.lineOrder(chunk) ?? missing()),
    part: (number, size) =>
      size === 0 ? new Uint8Array(0) : decompress(file.part(chunk, number) ?? missing(), size + 1, size),
    ...(mayAccept && { mayAccept }),
  });
}

function missing(): never {
  throw new MalformedError('a part of a chunk is missing');
}
