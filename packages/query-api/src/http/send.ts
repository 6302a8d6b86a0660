import type { ServerResponse } from 'node:http';
import { endWith, endWithParts } from './compression.ts';

/** Sends a body that is JSON already, in one piece or several. */
export function sendJsonText(
  response: ServerResponse,
  status: number,
  text: string | readonly (string | Uint8Array)[],
): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  if (typeof text === 'string') {
    endWith(response, Buffer.from(text));
    return;
  }
  endWithParts(response, text);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendJsonText(response, status, JSON.stringify(value));
}

export function sendBytes(response: ServerResponse, status: number, body: Buffer, type: string): void {
  response.statusCode = status;
  response.setHeader('content-type', type);
  endWith(response, body);
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  sendBytes(response, status, Buffer.from(text), type);
}
