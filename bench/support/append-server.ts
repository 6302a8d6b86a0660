/**
 * The least that a server must do which takes spans and loses none: read the body, parse it where it is JSON, append
 * the bytes to a file, sync it once for all requests that wait, answer. No index, no store, no query.
 *
 *     node append-server.ts <file>
 */
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';

const file = await open(process.argv[2] ?? '', 'w');
let waiting: { readonly body: Buffer; readonly done: () => void }[] = [];
let writing = false;

async function drain(): Promise<void> {
  if (writing) return;
  writing = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    await file.writev(batch.map(({ body }) => body));
    await file.datasync();
    for (const { done } of batch) done();
  }
  writing = false;
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    if (request.headers['content-type'] === 'application/json') JSON.parse(body.toString());
    waiting.push({ body, done: () => response.writeHead(202).end() });
    void drain();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : '');
});
