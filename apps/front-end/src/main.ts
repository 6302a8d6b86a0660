import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { endWithAnswer } from './answer-time.ts';
import { readConfig } from './config.ts';
import { startTracing } from './tracing.ts';

const config = readConfig(process.env);
const express = new ExpressInstrumentation({
  // Our own bookkeeping, which has no name, tells a reader of a trace nothing.
  ignoreLayers: ['middleware - <anonymous>', 'middleware - closeConnections'],
  // The instrumentation knows the route of an Express 5 handler but leaves it out of the span's name.
  requestHook: (span, info) => {
    if (info.layerType !== ExpressLayerType.REQUEST_HANDLER) return;
    span.updateName(`request handler - ${info.route}`);
    if (info.request.res) endWithAnswer(span, info.request.res);
  },
});
const tracing = startTracing(config, process.env, [express]);
// Loaded after tracing has begun, so that the instrumentations see node:http and express being loaded.
import('./server.ts').then(({ serve }) => serve(config, tracing));
