import type { ServerResponse } from 'node:http';
import { messageOf } from '@kind-e2e/base';
import { PromqlError, PromqlSyntaxError } from '@kind-e2e/promql';
import { RegexSyntaxError } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { sendJson } from '../http/send.ts';

/** HTTP status by `errorType` (prometheus web/api/v1/api.go, `respondError`). */
const STATUS: Readonly<Record<string, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  not_found: 404,
  unavailable: 500,
  not_acceptable: 406,
};

/** `invalid parameter "step": …`, as Prometheus words it. */
export function invalidParameter(name: string, message: string): ApiError {
  return new ApiError(400, `invalid parameter ${JSON.stringify(name)}: ${message}`);
}

/** Blames what goes wrong on a parameter. */
export function blameOn<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw invalidParameter(name, messageOf(error));
  }
}

export function sendPrometheusError(response: ServerResponse, error: unknown): void {
  const type = error instanceof PromqlError ? error.kind : error instanceof ApiError ? error.type : typeOfOther(error);
  const status = error instanceof ApiError && error.type === 'bad_data' ? error.status : (STATUS[type] ?? 500);
  const message = (error instanceof Error ? error.message : String(error)).toWellFormed();
  sendJson(response, status, { status: 'error', errorType: type, error: message });
}

function typeOfOther(error: unknown): string {
  return error instanceof PromqlSyntaxError || error instanceof RegexSyntaxError ? 'bad_data' : 'internal';
}
