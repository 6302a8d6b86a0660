import type { ServerResponse } from 'node:http';
import { constants, createDeflate, createGzip, deflate, deflateSync, gzip, gzipSync } from 'node:zlib';

type Encoding = 'gzip' | 'deflate';

const OPTIONS = { level: constants.Z_BEST_SPEED };
/** Up to so many bytes are compressed at once: to hand them to a thread would take longer. */
const SMALL = 32 * 1024;

/** The first encoding of Accept-Encoding that is known, weights aside (Prometheus' util/httputil/compression.go). */
export function negotiateEncoding(acceptEncoding: string | undefined): Encoding | undefined {
  for (const part of (acceptEncoding ?? '').split(',')) {
    const name = part.trim();
    if (name === 'gzip' || name === 'deflate') return name;
  }
  return undefined;
}

/** Sends a body whole, in the encoding that the header `content-encoding` of the response says. */
export function endWith(response: ServerResponse, body: Buffer): void {
  const encoding = response.getHeader('content-encoding');
  const finish = (bytes: Buffer): void => {
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
  };
  if (encoding !== 'gzip' && encoding !== 'deflate') finish(body);
  else if (body.length <= SMALL) finish(encoding === 'gzip' ? gzipSync(body, OPTIONS) : deflateSync(body, OPTIONS));
  else
    (encoding === 'gzip' ? gzip : deflate)(body, OPTIONS, (error, bytes) => {
      if (error === null) finish(bytes);
      else response.destroy(error);
    });
}

/** The same for a body of many parts, of which the length is not known. */
export function endWithParts(response: ServerResponse, parts: readonly (string | Uint8Array)[]): void {
  const encoding = response.getHeader('content-encoding');
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    for (const part of parts) response.write(part);
    response.end();
    return;
  }
  const stream = encoding === 'gzip' ? createGzip(OPTIONS) : createDeflate(OPTIONS);
  stream.once('error', (error) => response.destroy(error));
  response.once('close', () => stream.destroy());
  stream.pipe(response);
  for (const part of parts) stream.write(part);
  stream.end();
}
