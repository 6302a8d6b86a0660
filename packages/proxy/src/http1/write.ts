import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../http/headers.ts';

/** Header fields as they go on the wire. */
export function formatFields(headers: HeaderList): string {
  let text = '';
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return text;
}

export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}

/** A whole answer to someone whose request could not be understood (Envoy's codec replies, then closes). */
export function formatCodecReply(status: number): string {
  const reason = reasonOf(status);
  return `HTTP/1.1 ${status} ${reason}\r\ncontent-length: ${reason.length}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${reason}`;
}

/** One piece of a chunked body: what goes before it; behind it goes CRLF. */
export function chunkPrefix(size: number): string {
  return `${size.toString(16)}\r\n`;
}
