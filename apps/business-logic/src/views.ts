import { setTimeout as sleep } from 'node:timers/promises';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import { type Express, type RequestHandler, Router } from 'express';
import type { Config } from './config.ts';
import { createLog, type Log } from './log.ts';

const tracer = trace.getTracer('business-logic');

/** The two endpoints: `/slow-endpoint` transforms data for a while, `/fast-endpoint` answers at once. */
export function addViews(app: Express, config: Config, log: Log = createLog('views', config.serviceName)): void {
  const router = Router();
  router.get('/slow-endpoint', nameSpanAfterRoute, async (_request, response) => {
    log.info("Calling the slow function 'data_transformation'");
    const result = await dataTransformation(config.slowMs);
    response.json(result);
  });
  router.get('/fast-endpoint', nameSpanAfterRoute, (_request, response) => {
    log.info('Answering the fast endpoint');
    response.json({ message: 'This is the fast endpoint.', durationSeconds: 0 });
  });
  app.use(router);
}

/** Work that takes its time, in a span of its own. */
async function dataTransformation(durationMs: number): Promise<{ message: string; durationSeconds: number }> {
  return tracer.startActiveSpan('data_transformation', async (span) => {
    try {
      span.setAttribute('data_transformation.duration_ms', durationMs);
      await sleep(durationMs);
      return { message: 'The data was transformed.', durationSeconds: durationMs / 1_000 };
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Gives the HTTP server span the route's name (`GET /slow-endpoint`), as a framework's instrumentation would. */
const nameSpanAfterRoute: RequestHandler = (request, _response, next) => {
  const metadata = getRPCMetadata(context.active());
  if (metadata) metadata.route = request.route?.path;
  next();
};
