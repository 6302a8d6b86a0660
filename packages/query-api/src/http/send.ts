import type { ServerResponse } from 'node:http';

/** Sends a body that is JSON already, in one piece or several. */
export function sendJsonText(
  response: ServerResponse,
  status: number,
  text: string | readonly (string | Uint8Array)[],
): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  if (typeof text === 'string') {
    const body = Buffer.from(text);
    response.setHeader('content-length', body.length);
    response.end(body);
    return;
  }
  for (const part of text) response.write(part);
  response.end();
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendJsonText(response, status, JSON.stringify(value));
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}
