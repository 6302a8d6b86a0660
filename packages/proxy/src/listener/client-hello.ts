/** What a TLS client says before anything is encrypted. */
export interface ClientHello {
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const MAX_HELLO_BYTES = 16 * 1024;

/** True when the first byte is that of a TLS handshake record. */
export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === HANDSHAKE;
}

/** Reads RFC 8446 section 4.1.2 as far as routing needs it. `more`: bytes are missing; undefined: it is none. */
export function parseClientHello(bytes: Buffer): ClientHello | 'more' | undefined {
  if (bytes.length < 5) return bytes.length === 0 || bytes[0] === HANDSHAKE ? 'more' : undefined;
  if (bytes[0] !== HANDSHAKE || bytes[1] !== 3) return undefined;
  const handshake = unwrapRecords(bytes);
  if (handshake === undefined) return undefined;
  if (handshake.length < 4) return 'more';
  if (handshake[0] !== CLIENT_HELLO) return undefined;
  const size = handshake.readUIntBE(1, 3);
  if (size > MAX_HELLO_BYTES) return undefined;
  if (handshake.length < 4 + size) return 'more';
  try {
    return readBody(handshake.subarray(4, 4 + size));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The handshake message may be spread over several records. */
function unwrapRecords(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== HANDSHAKE) return undefined;
    const size = bytes.readUInt16BE(at + 3);
    pieces.push(bytes.subarray(at + 5, at + 5 + size));
    at += 5 + size;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

function readBody(body: Buffer): ClientHello {
  let at = 2 + 32;
  at += 1 + body.readUInt8(at);
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  let serverName: string | undefined;
  const alpn: string[] = [];
  if (at >= body.length) return { serverName, alpn };
  const end = Math.min(body.length, at + 2 + body.readUInt16BE(at));
  at += 2;
  while (at + 4 <= end) {
    const type = body.readUInt16BE(at);
    const size = body.readUInt16BE(at + 2);
    at += 4;
    const extension = body.subarray(at, Math.min(end, at + size));
    at += size;
    if (type === SERVER_NAME && extension.length > 5)
      serverName = extension
        .subarray(5, 5 + extension.readUInt16BE(3))
        .toString('latin1')
        .toLowerCase();
    if (type === ALPN)
      for (let i = 2; i < extension.length; i += 1 + extension.readUInt8(i))
        alpn.push(extension.subarray(i + 1, i + 1 + extension.readUInt8(i)).toString('latin1'));
  }
  return { serverName, alpn };
}
