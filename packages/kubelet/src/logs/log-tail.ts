import { open } from 'node:fs/promises';
import { parseCriLine } from './cri-format.ts';

/** The last lines of a log as the container wrote them, at most so many lines and bytes. */
export async function tailOfLog(path: string, maxLines: number, maxBytes: number): Promise<string> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    // Every entry has about 40 bytes of its own before the content.
    const length = Math.min(size, maxBytes + maxLines * 64);
    const buffer = Buffer.alloc(length);
    await handle.read(buffer, 0, length, size - length);
    let text = '';
    for (const line of splitLines(buffer).slice(-maxLines)) {
      const entry = parseCriLine(line);
      if (entry) text += entry.content.toString('utf8') + (entry.isPartial ? '' : '\n');
    }
    return text.length > maxBytes ? text.slice(-maxBytes) : text;
  } finally {
    await handle.close();
  }
}

function splitLines(buffer: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let begin = 0;
  for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10, begin)) {
    lines.push(buffer.subarray(begin, end));
    begin = end + 1;
  }
  return lines;
}
