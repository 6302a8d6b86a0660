import type { ServerResponse } from 'node:http';
import { type Span, trace } from '@opentelemetry/api';
import type { RequestHandler } from 'express';

/** When an answer was handed over, by `performance.now()`. */
const answeredAt = new WeakMap<ServerResponse, number>();

/**
 * The instrumentations end a request's spans when the response has closed, which on a busy machine is milliseconds after
 * the caller had its answer: the span would stick out of its parent, the proxy's. They end with the answer instead.
 */
export function endWithAnswer(span: Span, response: ServerResponse): void {
  const end = span.end.bind(span);
  span.end = (time) => end(time ?? answeredAt.get(response));
}

/** Remembers when the answer is handed over, and ends the server span then. Comes before all other middleware. */
export function keepAnswerTime(): RequestHandler {
  return (_request, response, next) => {
    const end = response.end.bind(response) as (...args: unknown[]) => typeof response;
    response.end = ((...args: unknown[]) => {
      answeredAt.set(response, performance.now());
      return end(...args);
    }) as typeof response.end;
    const span = trace.getActiveSpan();
    if (span) endWithAnswer(span, response);
    next();
  };
}
