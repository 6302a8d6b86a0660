import type { ServerResponse } from 'node:http';
import { LogqlError } from '@kind-e2e/logql';
import { ApiError } from '../http/api-error.ts';
import { sendText } from '../http/send.ts';

const STATUS: Readonly<Record<LogqlError['kind'], number>> = {
  bad_request: 400,
  limit: 400,
  timeout: 504,
  canceled: 499,
  internal: 500,
};

/** Loki answers errors as plain text (pkg/util/server/error.go). */
export function sendLokiError(response: ServerResponse, error: unknown): void {
  const status = error instanceof LogqlError ? STATUS[error.kind] : error instanceof ApiError ? error.status : 500;
  sendText(response, status, error instanceof Error ? error.message : String(error));
}
