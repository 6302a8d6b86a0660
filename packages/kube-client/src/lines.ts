import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream of bytes, without their ends; an unfinished last line is not a line. */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let pending: string[] = [];
  for await (const chunk of source) {
    const text = decoder.write(chunk as Buffer);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const tail = text.slice(start, end);
      start = end + 1;
      const line = pending.length === 0 ? tail : pending.join('') + tail;
      pending = [];
      if (line !== '') yield line;
    }
    if (start < text.length) pending.push(start === 0 ? text : text.slice(start));
  }
}
