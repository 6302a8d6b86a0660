import { type Context, context } from '@opentelemetry/api';
import type { RequestHandler, Response } from 'express';

const KEY = 'requestContext';

/**
 * Keeps the context of the request's server span. Express' instrumentation runs each handler inside a span of its own;
 * work that belongs to the request and not to one handler is begun in this context.
 */
export function keepRequestContext(): RequestHandler {
  return (_request, response, next) => {
    response.locals[KEY] = context.active();
    next();
  };
}

export function requestContextOf(response: Response): Context {
  return (response.locals[KEY] as Context | undefined) ?? context.active();
}
