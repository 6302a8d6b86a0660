import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ContentStore } from '../store/content-store.ts';
import type { UploadTable } from './uploads.ts';

/** One request with what its handler needs. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly method: string;
  readonly store: ContentStore;
  readonly uploads: UploadTable;
}

/** Answers without a body. */
export function sendEmpty(exchange: Exchange, status: number, headers: Record<string, string | number> = {}): void {
  exchange.response.writeHead(status, status === 204 ? headers : { 'Content-Length': 0, ...headers });
  exchange.response.end();
}

export function sendJson(exchange: Exchange, value: unknown, headers: Record<string, string> = {}): void {
  const body = JSON.stringify(value);
  exchange.response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  exchange.response.end(exchange.method === 'HEAD' ? undefined : body);
}
