import type { IncomingMessage } from 'node:http';
import { badRequest, requestEntityTooLarge } from '@kind-e2e/kube-api';

/** Largest body that is read (apiserver's `MaxRequestBodyBytes`). */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Reads a request's body. Throws 413 beyond the limit and 400 where the client goes away. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_BODY_BYTES) {
    request.resume();
    return Promise.reject(tooLarge());
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    request.on('error', (error) => reject(badRequest(`the request's body could not be read: ${error.message}`)));
    const left = (): void => reject(badRequest('the client ended the request before its body was complete'));
    request.on('aborted', left);
    request.on('close', left);
    // Who left while the request waited for its turn has been told of already: nothing more comes.
    if (request.destroyed && !request.readableEnded) left();
  });
}

function tooLarge(): Error {
  return requestEntityTooLarge(`limit is ${MAX_BODY_BYTES}`);
}
