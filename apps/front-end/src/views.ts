import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Express, Request, Response } from 'express';
import { askBusinessLogic, type BusinessLogicAnswer, BusinessLogicUnreachable } from './business-logic.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { requestContextOf } from './request-context.ts';
import { resultPage } from './result-page.ts';

const tracer = trace.getTracer('front-end');

/** What a page answers; the landing page's script shows it. */
export interface PageResult {
  readonly page: 'slow' | 'fast';
  readonly traceId: string | undefined;
  readonly traceUrl: string | undefined;
  /** Milliseconds that the page took on the server. */
  readonly durationMs: number;
  readonly status: number;
  /** What business-logic said. */
  readonly answer: unknown;
}

/** `/slow-page` asks business-logic's slow endpoint in a span of its own, `/fast-page` the fast one. */
export function addViews(app: Express, config: Config, log: Log): void {
  app.get('/slow-page', async (request, response) => {
    log.info('The slow page was asked for');
    await answer(request, response, 'slow', () =>
      tracer.startActiveSpan('slow-page-custom-span', {}, requestContextOf(response), async (span) => {
        try {
          return await askBusinessLogic(config, '/slow-endpoint');
        } catch (error) {
          span.recordException(error instanceof Error ? error : String(error));
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      }),
    );
  });
  app.get('/fast-page', async (request, response) => {
    log.info('The fast page was asked for');
    await answer(request, response, 'fast', () => askBusinessLogic(config, '/fast-endpoint'));
  });

  async function answer(
    request: Request,
    response: Response,
    page: PageResult['page'],
    ask: () => Promise<BusinessLogicAnswer>,
  ): Promise<void> {
    const started = performance.now();
    const traceId = trace.getActiveSpan()?.spanContext().traceId;
    let status = 200;
    let body: unknown;
    try {
      const reply = await ask();
      body = reply.body;
      if (reply.status >= 400) {
        status = 502;
        log.error(`business-logic answered ${reply.status}`);
      }
    } catch (error) {
      if (!(error instanceof BusinessLogicUnreachable)) throw error;
      log.error('business-logic did not answer', error);
      status = 502;
      body = { error: error.message };
    }
    const result: PageResult = {
      page,
      traceId,
      traceUrl: traceId && config.traceUrl.replace('{traceId}', traceId),
      durationMs: Math.round(performance.now() - started),
      status,
      answer: body,
    };
    if (traceId) response.set('x-trace-id', traceId);
    response.status(status).vary('accept');
    if (request.accepts(['html', 'json']) === 'json') response.json(result);
    else response.type('html').send(resultPage(result));
  }
}
