import type { IncomingMessage, ServerResponse } from 'node:http';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { mediaTypeOf } from '../receiver.ts';

export type OtlpSignal = 'traces' | 'logs' | 'metrics';

const REJECTED_FIELD: Readonly<Record<OtlpSignal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** An Export…ServiceResponse as protobuf; the three differ in name only. */
export function encodeExportResponse(partial: PartialSuccess | undefined): Buffer {
  const out = new ByteWriter(64);
  if (partial) {
    out.u8(0x0a);
    const at = out.reserveVarint();
    const start = out.length;
    if (partial.rejected > 0) {
      out.u8(0x08);
      out.varint(partial.rejected);
    }
    if (partial.message !== '') {
      out.u8(0x12);
      out.string(partial.message);
    }
    out.setVarint(at, out.length - start);
  }
  return out.copy();
}

export function sendExportResponse(
  request: IncomingMessage,
  response: ServerResponse,
  signal: OtlpSignal,
  partial: PartialSuccess | undefined,
): void {
  if (mediaTypeOf(request) === 'application/json') {
    const partialSuccess = partial && {
      [REJECTED_FIELD[signal]]: String(partial.rejected),
      errorMessage: partial.message,
    };
    send(response, 200, 'application/json', Buffer.from(JSON.stringify(partialSuccess ? { partialSuccess } : {})));
  } else send(response, 200, 'application/x-protobuf', encodeExportResponse(partial));
}

/** google.rpc.Status codes that OTLP's errors carry, by HTTP status. */
const RPC_CODES: Readonly<Record<number, number>> = { 400: 3, 413: 8, 415: 3, 429: 8, 503: 14 };

/** An error as OTLP/HTTP wants it: a google.rpc.Status in the encoding of the request. */
export function sendRpcStatus(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  const code = RPC_CODES[status] ?? 13;
  if (mediaTypeOf(request) === 'application/x-protobuf') {
    const out = new ByteWriter(64);
    out.u8(0x08);
    out.varint(code);
    out.u8(0x12);
    out.string(message);
    send(response, status, 'application/x-protobuf', out.copy());
  } else send(response, status, 'application/json', Buffer.from(JSON.stringify({ code, message })));
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}
