import express, { type ErrorRequestHandler, type Express } from 'express';
import { keepAnswerTime } from './answer-time.ts';
import type { Config } from './config.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';
import { HttpMetrics } from './metrics.ts';
import { addViews } from './views.ts';

const UNTRACKED_PATHS = ['/healthz', '/readyz', '/metrics'];

export function createApp(config: Config, lifecycle: Lifecycle, log: Log): Express {
  const app = express();
  app.disable('x-powered-by');
  const metrics = new HttpMetrics();
  app.use(keepAnswerTime());
  app.use(lifecycle.closeConnections);
  app.use(metrics.middleware(UNTRACKED_PATHS));
  app.get('/healthz', lifecycle.healthy);
  app.get('/readyz', lifecycle.ready);
  metrics.route(app);
  addViews(app, config);
  app.use((request, response) => {
    response.status(404).json({ error: `there is nothing at ${request.path}; try /slow-endpoint or /fast-endpoint` });
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    metrics.countException(error, request.route);
    log.error(`${request.method} ${request.path} failed`, error);
    if (response.headersSent) next(error);
    else response.status(500).json({ error: 'the service failed to answer; its log has the reason' });
  };
  app.use(onError);
  return app;
}
